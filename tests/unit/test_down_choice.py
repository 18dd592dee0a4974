"""Which down belongs to the up that ran, and when a stored text may run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import migrations, planned, refused
from tests.unit.history import digest, row

from rung.drivers.inspection import OtherWriters
from rung.drivers.transaction import StoredSql
from rung.execution.outcomes import failed
from rung.execution.preflight import PreparedStep
from rung.execution.stored_sql import stored_down
from rung.ledger import LedgerState
from rung.planning.down_choice import STRICT, DownOptions, StoredDown, StoredDownSql, choose_down
from rung.planning.history_replay import AppliedVersion, replay
from rung.planning.plan import Down
from rung.script import checksum, read

if TYPE_CHECKING:
    from rung.ledger import Attempt

UP, DOWN = "CREATE TABLE a (i int)", "DROP TABLE a"
RAN = row(1, up=UP, down=DOWN)
STORED = StoredDown(DOWN, sql=StoredDownSql(digest(DOWN)))
CLOSED = OtherWriters(closed_after=0)
ANOTHER = "CREATE TABLE b (i int)"


def held(entry: Attempt) -> AppliedVersion:
    """The version as one row of the history leaves it."""
    return replay([entry])[1]


def chosen(
    files: dict[str, str],
    entry: Attempt = RAN,
    stored: StoredDown = STORED,
    options: DownOptions = STRICT,
) -> str:
    """What reverting a version comes to, in a word."""
    migration = migrations(**files).by_version.get(1)
    found = choose_down(held(entry), migration, stored, options=options)
    if found.problem is not None:
        return found.problem.kind
    return found.passes or ("stored" if found.stored else "file")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"up1": UP, "down1": "DROP TABLE a CASCADE"}, "file"),
        ({"up1": f"-- why\n{UP}\n", "down1": DOWN}, "file"),
        ({"up1": ANOTHER, "down1": "DROP TABLE b"}, "stored"),
        ({"up1": UP}, "stored"),
        ({"up1": UP, "down1": "-- nothing"}, "stored"),
        ({"down1": "DROP TABLE b"}, "stored"),
        ({}, "stored"),
        ({"up1": UP, "down1": "-- rung: empty it is kept"}, "empty"),
        ({"up1": UP, "down1": f"-- rung: irreversible the rows are gone\n{DOWN}"}, "irreversible"),
        ({"up1": f"-- rung: irreversible the rows are gone\n{UP}"}, "irreversible"),
    ],
)
def test_the_down_that_belongs_to_what_ran(files: dict[str, str], expected: str) -> None:
    """The file where the up says what ran, else what was stored with it."""
    assert chosen(files) == expected


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        ({"up1": UP, "down1": DOWN}, STRICT, "file"),
        ({"up1": ANOTHER, "down1": "DROP TABLE b"}, STRICT, "edited"),
        ({"up1": ANOTHER, "down1": "DROP TABLE b"}, DownOptions(use_edited=True), "file"),
        ({"up1": ANOTHER, "down1": "-- rung: empty kept"}, STRICT, "edited"),
        ({"up1": UP, "down1": ";\n/* x */"}, STRICT, "empty"),
        ({"up1": UP}, STRICT, "missing"),
        ({"up1": UP}, DownOptions(unreverted=True), "not reverted"),
        ({"up1": ANOTHER}, DownOptions(use_edited=True), "missing"),
    ],
)
def test_without_a_stored_text(files: dict[str, str], options: DownOptions, expected: str) -> None:
    """The file runs where the up is unedited against the record, and by a word of its own."""
    assert chosen(files, row(1, "baseline", up=UP, down=DOWN), StoredDown(), options) == expected


def test_what_ran_nothing_is_passed() -> None:
    """An up that held no statement leaves nothing to revert, whatever the files say now."""
    ran = replace(row(1, up="-- later"), statements_total=0)

    assert chosen({"up1": UP, "down1": DOWN}, ran) == "empty"


@pytest.mark.parametrize(("passes_empty", "expected"), [(True, "DROP TABLE b"), (False, None)])
def test_a_lone_down_of_which_nothing_is_recorded(
    expected: str | None, *, passes_empty: bool
) -> None:
    """golang-migrate's command runs it, as golang-migrate does; ours has nothing to revert."""
    known = AppliedVersion(1, "a")
    files = migrations(down1="DROP TABLE b").by_version[1]

    found = choose_down(known, files, StoredDown(), passes_empty=passes_empty)

    assert found.problem is None
    assert (
        None if found.passes else found.migration.down and found.migration.down.text
    ) == expected


def half(sql: str = DOWN, **facts: str) -> StoredSql:
    """A text that the history keeps."""
    kept = StoredSql(1, "down", checksum(read(DOWN)), sql, 1, digest(DOWN), 1)
    return kept._replace(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "kept", "reason"),
    [
        (RAN, half(), ""),
        (RAN, half("DROP TABLE b"), "secret"),
        (RAN, half("DROP TABLE a; ALTER ROLE a PASSWORD '***'"), "secret"),
        (RAN, half(checksum="0", digest="0"), "not stored"),
        (replace(RAN, checksum_formula=99), half(), "newer formula"),
        (row(1, "baseline", up=UP, down=DOWN), half(), "baseline"),
        (row(1, "force", up=UP, down=DOWN), half(), "baseline"),
        (row(1, "mark-applied", up=UP, down=DOWN), half(), "baseline"),
    ],
)
def test_what_of_the_history_can_run(entry: Attempt, kept: StoredSql, reason: str) -> None:
    """A text of an attempt of ours whose digest fits; an unrecognized formula never permits."""
    found = stored_down(held(entry), [kept], CLOSED)

    assert (found.text == DOWN) == (not reason)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("writers", "unseen"),
    [
        (CLOSED, ""),
        (OtherWriters(), "not known"),
        (OtherWriters(closed_after=1), "when it was stored"),
        (OtherWriters(history=('role "app" has UPDATE',), closed_after=0), 'role "app" has UPDATE'),
    ],
)
def test_what_others_could_write_is_read_first(writers: OtherWriters, unseen: str) -> None:
    """A text runs unseen only where nobody else can write it, and could when it was stored."""
    found = stored_down(held(RAN), [half()], writers)

    assert found.sql is not None
    assert unseen in found.sql.unseen
    assert bool(unseen) == bool(found.sql.unseen)


def test_a_mended_down_is_no_part_of_the_attempt() -> None:
    """An edit that left the up alone changes what a file is compared with, not what ran."""
    fixed = row(1, "edit", up=UP, down="DROP TABLE a CASCADE")
    accepted = row(1, "edit", up=ANOTHER, down="DROP TABLE b")

    assert replay([RAN, fixed])[1].down_entry is RAN
    assert replay([RAN, accepted])[1].down_entry is accepted


def test_a_stored_down_that_fails_has_a_way_out() -> None:
    """No file holds its text, so what is proposed is not to change a file."""
    (step,) = planned(Down(), LedgerState(1), up1=UP, down1=DOWN)[0].steps
    step = replace(step, stored=StoredDownSql(digest(DOWN)))
    failure = refused().failure
    assert failure is not None
    error = failed((), PreparedStep(step, read(DOWN)), LedgerState(1), failure)

    assert "`rung accept-edit 1`" in error.hint


@pytest.mark.parametrize("direction", ["force", "baseline"])
@pytest.mark.parametrize(("as_golang", "expected"), [(True, ""), (False, "empty")])
def test_a_lone_down_runs_for_golang_migrate_alone(
    direction: str,
    expected: str,
    *,
    as_golang: bool,
) -> None:
    """Where no up was ever seen nothing is reverted, however the ledger came there."""
    entry = row(1, direction, up=None, down=DOWN)
    found = choose_down(
        held(entry), migrations(down1=DOWN).by_version[1], StoredDown(), passes_empty=as_golang
    )

    assert (found.problem, found.passes) == (None, expected)
