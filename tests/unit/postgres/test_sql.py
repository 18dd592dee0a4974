"""SQL of ours: quoting, the named statements, the ledger's moves, the history's rows, the keys."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.drivers.contract import FileVersion, LedgerTransition, NewAttempt, StatementFailure
from rung.drivers.postgres import lock, quoting
from rung.drivers.postgres.catalog import drop_statements
from rung.drivers.postgres.ledger_sql import FORGET, RESET, Form, LedgerSql
from rung.drivers.postgres.quoting import Sql, statement
from rung.drivers.postgres.tables import Table
from rung.drivers.transaction import error_text
from rung.errors import ServerMessage
from rung.ledger import LedgerState, Outcome
from rung.script import Dialect, TokenKind, read
from rung.script.data_loss import DataLoss

FILES = sorted(Path(quoting.__file__).parent.glob("*.sql"))
FILE = "".join(file.read_text() for file in FILES)
BLOCKS = re.findall(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", FILE, re.DOTALL | re.MULTILINE)
LEDGER, HISTORY = (quoting.name("public", f"schema_migrations{end}") for end in ("", "_history"))
TABLES = LedgerSql(LEDGER, HISTORY, (quoting.name("public"),))
BY_TRUNCATE = replace(TABLES, form=Form.TRUNCATE, truncates=True)
CHECKS = ("SELECT", "SELECT")
"""What its triggers fire for, and its row, come from the inspection."""
UNRECORDED = replace(TABLES, records=False)
UP = FileVersion("sum", "digest", "select 'é\\'")
ATTEMPT = NewAttempt("a-1", 3, "o'hara", "up", UP, None, 4)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "E'plain'"),
        ("o'hara", "E'o''hara'"),
        ("a\\b", r"E'a\\b'"),
        ("\\'; drop table x; --", r"E'\\''; drop table x; --'"),
        ("", "E''"),
        (None, "NULL"),
    ],
)
def test_literals(value: str | None, expected: str) -> None:
    """Quotes and backslashes are doubled in a string that reads the same under any setting."""
    assert quoting.text(value) == expected


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_literal_is_one_token(value: str) -> None:
    """Whatever a value holds, it ends where its literal ends."""
    literal = quoting.text(value)
    for dialect in (Dialect.POSTGRES, Dialect.POSTGRES_ESCAPES):
        script = read(literal, dialect)
        assert [(t.kind, t.end) for t in script.tokens] == [(TokenKind.STRING, len(literal))]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("public", "t"), '"public"."t"'),
        (('we"ird',), '"we""ird"'),
        (("a.b", "C d"), '"a.b"."C d"'),
    ],
)
def test_names(parts: tuple[str, ...], expected: str) -> None:
    """Names are quoted part by part."""
    assert quoting.name(*parts) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(3, "(3)"), (-1, "(-1)"), (0, "(0)"), (None, "NULL")]
)
def test_numbers(value: int | None, expected: str) -> None:
    """A minus sign can never join a minus before it into a comment."""
    assert quoting.number(value) == expected


def test_truth() -> None:
    """Booleans are key words."""
    assert (quoting.truth(True), quoting.truth(False)) == ("true", "false")  # noqa: FBT003


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_named_statements(name: str, block: str) -> None:
    """Each block begins with a sentence, fills, and is one statement without its semicolon."""
    places = {place for _, place, _, _ in Formatter().parse(block) if place}
    filled = statement(name, **{place: Sql("x") for place in places})

    assert re.match(r"-- [A-Z\w].*\.\n", block, re.DOTALL)
    assert "{" not in filled
    assert len(read(filled).statements) == 1
    assert not filled.endswith(";")


def test_there_are_named_statements() -> None:
    """The file is found, and no name stands for two statements."""
    names = [name for name, _ in BLOCKS]

    assert len(names) == len(set(names)) > 15


def test_the_ledger_is_golang_migrates() -> None:
    """The ledger's DDL is golang-migrate's, byte for byte."""
    assert statement("create_ledger", ledger=TABLES.ledger) == (
        'CREATE TABLE IF NOT EXISTS "public"."schema_migrations" '
        "(version bigint not null primary key, dirty boolean not null)"
    )


def flat(parts: tuple[Sql, ...]) -> str:
    """Statements on one line, with single spaces and bare operators."""
    bare = re.sub(r"OPERATOR\(pg_catalog\.(.)\)", r"\1", " ".join(parts))
    return " ".join(bare.split())


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (LedgerState(), LedgerState(1), ["LOCK", "INSERT", "SELECT (1), false WHERE NOT EXISTS"]),
        (
            LedgerState(1),
            LedgerState(3),
            ["UPDATE", "version = (3), dirty = false WHERE version = (1)"],
        ),
        (LedgerState(1), LedgerState(), ["DELETE", "WHERE version = (1) AND dirty = false"]),
        (LedgerState(), LedgerState(-1, dirty=True), ["LOCK", "INSERT", "SELECT (-1), true"]),
        (LedgerState(-1, dirty=True), LedgerState(), ["DELETE", "version = (-1) AND dirty = true"]),
        (LedgerState(-1), LedgerState(2), ["UPDATE", "version = (2)", "WHERE version = (-1)"]),
    ],
)
def test_moves(before: LedgerState, after: LedgerState, expected: list[str]) -> None:
    """A move touches exactly the row that it was planned for, and fails where there is none."""
    move = LedgerTransition(before, after)
    sql = flat((*TABLES.guard(move), *TABLES.move(move)))

    places = [sql.find(part) for part in expected]
    assert -1 not in places
    assert places == sorted(places)
    assert sql.endswith("SELECT 1 / pg_catalog.count(*) FROM moved")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (LedgerState(), LedgerState(1), ["LOCK", "SELECT", "WITH"]),
        (LedgerState(1), LedgerState(3), ["LOCK", *CHECKS, "TRUNCATE", "INSERT"]),
        (LedgerState(1), LedgerState(), ["LOCK", *CHECKS, "TRUNCATE"]),
        (LedgerState(1, dirty=True), LedgerState(1), ["LOCK", *CHECKS, "TRUNCATE", "INSERT"]),
    ],
)
def test_moves_by_truncate(before: LedgerState, after: LedgerState, words: list[str]) -> None:
    """Without rights on rows the ledger is locked, compared, and its row replaced."""
    move = LedgerTransition(before, after)
    sql = (*BY_TRUNCATE.guard(move), *BY_TRUNCATE.move(move))

    assert [one.split()[0] for one in sql] == words
    assert any("1 OPERATOR(pg_catalog./)" in one for one in sql)


@pytest.mark.parametrize("before", [LedgerState(), LedgerState(1), LedgerState(1, dirty=True)])
@pytest.mark.parametrize("form", Form)
def test_what_triggers_leave_is_compared(before: LedgerState, form: Form) -> None:
    """Only where there are triggers or rules does a comparison stand behind the write."""
    move, seen = LedgerTransition(before, LedgerState(2)), replace(TABLES, form=form, events=4)

    assert "written:" in seen.move(move)[-1]
    assert "written:" in seen.write(None)[-1]
    assert not any("written:" in one for one in TABLES.move(move))
    assert "written:" in replace(TABLES, history_events=64).record(ATTEMPT, Outcome.DONE)[-1]
    assert len(TABLES.record(ATTEMPT, Outcome.DONE)) == 1


def test_forcing() -> None:
    """Forcing empties the ledger and writes one clean row, or none."""
    assert [sql.split()[0] for sql in TABLES.write(None)] == ["LOCK", "DELETE"]
    assert [sql.split()[0] for sql in BY_TRUNCATE.write(None)] == ["LOCK", "TRUNCATE"]
    assert TABLES.write(7)[-1].endswith("VALUES ((7), false)")


def test_without_a_history() -> None:
    """Where there is none to write, no statement names it."""
    tried = (ATTEMPT, Outcome.DONE)
    sql = (
        *UNRECORDED.record(*tried),
        *UNRECORDED.in_flight("a", 1),
        *UNRECORDED.progress("a", 1),
        *UNRECORDED.end("a", Outcome.DONE, None),
        *UNRECORDED.make_anew(with_schemas=True),
    )

    assert HISTORY not in " ".join(sql)
    assert HISTORY in " ".join(TABLES.make_anew(with_schemas=True))


@pytest.mark.parametrize(
    ("outcome", "failure", "expected"),
    [
        (Outcome.DONE, None, "E'done', (4), (4), pg_catalog.statement_timestamp()"),
        (Outcome.RUNNING, None, "E'running', (4), (0), pg_catalog.statement_timestamp(), NULL"),
        (
            Outcome.FAILED,
            StatementFailure(ServerMessage("it's", "42601"), statement=3, statements_done=2),
            (
                "E'failed', (4), (0), pg_catalog.statement_timestamp(), "
                "pg_catalog.clock_timestamp(), E'statement 3: it''s (SQLSTATE 42601)'"
            ),
        ),
    ],
)
def test_history_rows(outcome: Outcome, failure: StatementFailure | None, expected: str) -> None:
    """A row says how far the attempt came, and its texts are literals."""
    sql = flat(TABLES.record(ATTEMPT, outcome, failure))

    assert f"SELECT E'a-1', (3), E'o''hara', E'up', {expected}" in sql
    assert r"E'sum', NULL, (1), E'digest', NULL, E'select ''é\\''', NULL, E'rung'," in sql


def test_progress_and_end() -> None:
    """The row of a file of several units is told what is under way, done and over."""
    assert "in_flight = (2) WHERE attempt = E'a'" in flat(TABLES.in_flight("a", 2))
    assert "statements_done = (2), in_flight = NULL" in flat(TABLES.progress("a", 2))
    assert "outcome = E'done', error = NULL" in flat(TABLES.end("a", Outcome.DONE, None))


def test_the_error_of_a_refusal() -> None:
    """The history keeps the statement's number and all of the server's words."""
    server = ServerMessage("no", "42601", detail="why", hint="do")

    assert error_text(None) is None
    assert error_text(StatementFailure(server)) == "no (SQLSTATE 42601)\ndetail: why\nhint: do"


@pytest.mark.parametrize("sql", [*RESET, *FORGET])
def test_resetting_keeps_the_locks(sql: Sql) -> None:
    """What puts a session back never drops its advisory locks, as DISCARD ALL would."""
    assert "ALL" not in sql or sql.split()[0] != "DISCARD"
    assert len(read(sql).statements) == 1


@pytest.mark.parametrize(
    ("schema", "table", "database", "key"),
    [
        ("schema_name_1", "schema_name_2", "database_name", 3743845847),
        ("public", "schema_migrations", "/chatapp", 3999065708),
        ("public", "schema_migrations", "chatapp", 3607770239),
        ("s2", "schema_migrations", "/chatapp", 1383667862),
        ("public", "mig", "/chatapp", 1848556278),
        ("s2", "mig", "/chatapp", 3949201213),
        ("public", "schema_migrations", "/", 2551455205),
        ("public", "schema_migrations", "postgres", 143310882),
        ("public", "schema_migrations", "/chat app", 1892898460),
    ],
)
def test_golang_migrates_keys(schema: str, table: str, database: str, key: int) -> None:
    """The keys are the ones that golang-migrate takes."""
    assert lock.foreign_key(schema, table, database) == key


def test_all_keys_of_a_ledger() -> None:
    """A key of ours, out of golang-migrate's reach, and both of its own for the ledger."""
    keys = lock.Keys.of(Table("public", "schema_migrations"), "chatapp")

    assert keys.foreign == (3999065708, 3607770239)
    assert keys.all == (keys.ours, *keys.foreign)
    assert 2**32 <= keys.ours < 2**63
    assert lock.Keys.of(Table("s2", "schema_migrations"), "chatapp").ours != keys.ours
    plain = lock.foreign_key("s2", "mig", "chatapp")
    assert lock.Keys.of(Table("s2", "mig"), "chatapp").foreign == (3949201213, plain)


def test_the_key_of_a_url_without_a_database() -> None:
    """golang-migrate's command locks by the path as it stands in the URL, be it a slash alone."""
    keys = lock.Keys.of(Table("public", "schema_migrations"), "chatapp", "/")

    assert keys.foreign == (3999065708, 3607770239, 2551455205)


def test_taking_and_giving_back() -> None:
    """Keys are tried one after the other, never waited for; how many were got is told."""
    assert lock.take_keys((1, 2)) == (
        "SELECT CASE WHEN NOT pg_catalog.pg_try_advisory_lock(1) THEN 0 "
        "WHEN NOT pg_catalog.pg_try_advisory_lock(2) THEN 1 ELSE 2 END"
    )
    assert lock.take_keys((1,), unless=Sql("held")) == (
        "SELECT CASE WHEN held THEN 0 WHEN NOT pg_catalog.pg_try_advisory_lock(1) THEN 0 ELSE 1 END"
    )
    assert lock.give_keys_back((1,)) == "SELECT pg_catalog.pg_advisory_unlock(1)"


def test_dropping() -> None:
    """Each object is dropped by its kind and its quoted name."""
    assert drop_statements([DataLoss("materialized view", '"s"."m"')]) == (
        'DROP MATERIALIZED VIEW IF EXISTS "s"."m" CASCADE',
    )
