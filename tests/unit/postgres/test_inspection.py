"""What the idle look's answer means, column by column and error by error."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest

from rung.drivers.contract import Inspection, Location
from rung.drivers.history_rows import COLUMNS
from rung.drivers.postgres import inspection
from rung.drivers.postgres.tables import names_of
from rung.drivers.postgres.wire import Reply, ServerError
from rung.errors import (
    ConnectionFailed,
    DatabaseDamaged,
    LedgerElsewhere,
    LedgerUnreadable,
    QueryFailed,
    RungError,
    ServerMessage,
    TableLocked,
)
from rung.ledger import LedgerState, Outcome
from rung.script.dialect import Dialect

if TYPE_CHECKING:
    from rung.drivers.postgres.tables import TableNames
    from rung.drivers.postgres.wire import Row

NAMES = names_of()
ALL = "SELECT INSERT UPDATE DELETE TRUNCATE"
THERE: Row = ("t", ALL, "t", "USAGE CREATE")
ABSENT: Row = ("f", None, "t", "USAGE CREATE")
NO_LEASE: Row = ("f", None)
NOBODY: Row = (None, None, None, None)
"""Who else may write, the history's comment, the state of its rights, whether we may comment."""
PLACE: Row = ("chatapp", "public", "f", "77", "15.3", "on")
USUAL = "schema_migrations_history"
HERE: Row = (
    *(*PLACE, "public", "public", "ada", *THERE, *THERE, *NO_LEASE),
    *(None, USUAL, None, None, *NOBODY),
)
NO_HISTORY: Row = (
    *(*PLACE, "public", "public", "ada", *THERE, *ABSENT, *NO_LEASE),
    *(None, USUAL, None, None, *NOBODY),
)
NO_LEDGER: Row = (
    *(*PLACE, None, "public", "ada", *ABSENT, *ABSENT, *NO_LEASE),
    *('teams\n"Odd name"', USUAL, None, None, *NOBODY),
)
ROW: Row = (
    "5", "a-1", "3", "users", "up", "failed", "4", "2", "3", "1700000000.5", None,
    "no", "sum", None, "1", "digest", None, "rung", "0.1.0", "ada", "box",
)  # fmt: skip


@dataclass
class FakeReply:
    """A server's answer: rows for each statement that completed, then maybe an error."""

    tables: list[list[Row]]
    error: ServerError | None = None
    results: list[list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        self.results = self.tables

    @property
    def done(self) -> int:
        return len(self.tables)

    def rows(self, index: int) -> list[Row]:
        return self.tables[index]


def answer(*tables: list[Row], error: str = "", names: TableNames = NAMES) -> Inspection:
    """What such an answer is read as."""
    failed = ServerError(ServerMessage("refused", error), None) if error else None
    guarded = [*tables[:1], *([[]] if tables else []), *tables[1:]]
    reply = cast("Reply", FakeReply(guarded, failed))
    return inspection.answer(reply, inspection.standing(reply, names))


def test_everything_there() -> None:
    """Place, ledger and history are read from their three results."""
    look = answer([HERE], [("3", "t")], [ROW])

    assert look.place == Location(
        "chatapp",
        "public",
        read_only=False,
        server="PostgreSQL 15.3",
        dialect=Dialect.POSTGRES,
        process=77,
        ledger="public.schema_migrations",
    )
    assert (look.ledger, look.ledger_exists) == (LedgerState(3, dirty=True), True)
    assert look.history
    (entry,) = look.history
    assert (entry.id, entry.version, entry.outcome) == (5, 3, Outcome.FAILED)
    assert (entry.statements_done, entry.in_flight, entry.finished) == (2, 3, None)
    assert entry.started == datetime(2023, 11, 14, 22, 13, 20, 500000, UTC)


def test_a_standby_with_old_strings() -> None:
    """A standby is read-only, and a session may read backslashes the old way."""
    look = answer([(*HERE[:2], "t", *HERE[3:5], "off", *HERE[6:])], [], [])

    assert (look.place.read_only, look.place.dialect) == (True, Dialect.POSTGRES_ESCAPES)


def test_no_ledger() -> None:
    """A missing ledger is an answer."""
    look = answer([NO_LEDGER], error="42P01")

    assert (look.ledger, look.ledger_exists, look.history) == (LedgerState(), False, None)
    assert (look.tables, look.missing_grant) == (("teams", '"Odd name"'), "")


@pytest.mark.parametrize("state", ["42P01", "42501"])
def test_no_history(state: str) -> None:
    """A missing or forbidden history is an answer, and the ledger is still read."""
    look = answer([HERE], [("4", "f")], error=state)

    assert (look.ledger, look.ledger_exists, look.history) == (LedgerState(4), True, None)


def test_a_history_elsewhere_on_the_path() -> None:
    """A history of another schema that the name alone would find is not this ledger's."""
    assert answer([NO_HISTORY], [("4", "f")], [ROW]).history is None


def test_a_history_that_cannot_be_made() -> None:
    """The look says what has to be granted."""
    nothing = (*PLACE, "public", "public", "a b", *THERE, "f", None, "t", "USAGE", *NO_LEASE)
    nothing = (*nothing, None, USUAL, None, None, *NOBODY)
    look = answer([nothing], [("4", "f")], error="42P01")

    assert look.missing_grant == 'GRANT CREATE ON SCHEMA "public" TO "a b";'


@pytest.mark.parametrize(
    ("rows", "state"), [([], LedgerState()), ([("-1", "t")], LedgerState(-1, dirty=True))]
)
def test_ledgers(rows: list[Row], state: LedgerState) -> None:
    """An empty ledger is before the first version, and so is golang-migrate's -1."""
    look = answer([HERE], rows, [])

    assert (look.ledger, look.ledger.version) == (state, None)


@pytest.mark.parametrize(
    ("tables", "error", "kind", "text"),
    [
        ([], "08006", ConnectionFailed, "refused"),
        ([[("chatapp", None, *HERE[2:])]], "42P01", LedgerUnreadable, "no schema"),
        ([[(*PLACE, "other", *HERE[7:])]], "42P01", LedgerElsewhere, "is public, but .* in: other"),
        ([[(*PLACE, "public\nother", *HERE[7:])]], "", LedgerElsewhere, "public, other"),
        ([[HERE]], "42501", LedgerUnreadable, "grant the role SELECT"),
        ([[HERE]], "42703", LedgerUnreadable, "not a schema_migrations table: refused"),
        ([[HERE], [("1", "f"), ("2", "f")]], "", LedgerUnreadable, "1 and 2"),
        ([[HERE], [("x", "f")]], "", LedgerUnreadable, r"invalid version: \(x, false\)"),
        ([[HERE], [(None, "f")]], "", LedgerUnreadable, r"invalid version: \(NULL, false\)"),
        ([[HERE], [("1", None)]], "", LedgerUnreadable, r"invalid version: \(1, NULL\)"),
        ([[HERE], [("-7", "t")]], "", LedgerUnreadable, r"invalid version: \(-7, true\)"),
        ([[HERE], [("1", "f")]], "42703", LedgerUnreadable, "not a history table: refused"),
    ],
)
def test_what_cannot_be_used(
    tables: list[list[Row]], error: str, kind: type[RungError], text: str
) -> None:
    """A ledger that is none, is twice, is elsewhere or is forbidden is told apart."""
    with pytest.raises(kind, match=text):
        answer(*tables, error=error)


@pytest.mark.parametrize(
    ("state", "kind", "text"),
    [
        ("55P03", TableLocked, "it is locked"),
        ("57014", QueryFailed, "could not read .* refused"),
        ("XX001", DatabaseDamaged, "it is damaged"),
        ("XX002", DatabaseDamaged, "an index of it is damaged"),
        ("58030", DatabaseDamaged, "could not read its file"),
        ("58P01", DatabaseDamaged, "its file is missing"),
        ("57P01", ConnectionFailed, "connection was lost"),
        ("57P03", ConnectionFailed, "connection was lost"),
        ("08006", ConnectionFailed, "connection was lost"),
        ("53200", QueryFailed, "out of a resource"),
        ("22012", QueryFailed, "could not read"),
    ],
)
@pytest.mark.parametrize("rows", [[[HERE]], [[HERE], [("1", "f")]]])
def test_a_failed_look_says_nothing_of_the_shape(
    rows: list[list[Row]], state: str, kind: type[RungError], text: str
) -> None:
    """A lock, a timeout or a damaged file is what it is, and never "no ledger"."""
    with pytest.raises(kind, match=text) as raised:
        answer(*rows, error=state)

    assert not isinstance(raised.value, LedgerUnreadable)
    assert "rename the other table" not in str(raised.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("finished", "Infinity"),
        ("started", "-Infinity"),
        ("started", "9414000000000"),
        ("version", "-5"),
        ("version", "99999999999999999999"),
        ("statements_done", None),
        ("attempt", None),
        ("in_flight", "x"),
    ],
)
def test_a_value_that_cannot_be(column: str, value: str | None) -> None:
    """The error names the row and the column."""
    row = list(ROW)
    row[COLUMNS.index(column)] = value
    with pytest.raises(LedgerUnreadable, match=f"row {ROW[0]}, column {column}: "):
        answer([HERE], [("1", "f")], [tuple(row)])


def test_a_schema_with_a_space_in_its_name() -> None:
    """A ledger in the current schema is found there whatever the schema is called."""
    look = answer([(*PLACE, '"my schema"', '"my schema"', *HERE[8:])], [("1", "f")], [])

    assert look.ledger == LedgerState(1)


def test_a_ledger_with_a_schema_is_looked_for_nowhere_else() -> None:
    """What stands in other schemas of the path does not matter then."""
    elsewhere = (*PLACE, "public\nother", *HERE[7:])
    look = answer([elsewhere], [("1", "f")], [], names=names_of("ops.schema_migrations"))

    assert look.ledger == LedgerState(1)


@pytest.mark.parametrize(
    ("names", "ledger", "history"),
    [
        (NAMES, '"schema_migrations"', '"schema_migrations_history"'),
        (names_of("ops.v"), '"ops"."v"', '"ops"."v_history"'),
    ],
)
def test_the_question(names: TableNames, ledger: str, history: str) -> None:
    """One message asks for place, ledger and history."""
    sql = inspection.question(names)

    assert sql.startswith(inspection.where_question(names))
    assert sql.index(f"FROM {ledger}") < sql.index(f"FROM {history}")
