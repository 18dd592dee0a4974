"""Files, database, plan, lock and run put together, on a database in memory."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import PLACE, FakeDriver, FakeSession
from tests.unit.history import row

from rung.drivers.contract import Disconnected
from rung.errors import (
    ConnectionFailed,
    DatabaseBusy,
    DirtyLedger,
    EmptySource,
    LockNotAcquired,
    MissingMigrationFile,
    PlanChanged,
    ReadOnlyDatabase,
    ScriptError,
)
from rung.events import Warned
from rung.ledger import LedgerState, Outcome
from rung.migrator import Migrator
from rung.planning.plan import Down, Goto, Up
from rung.script.data_loss import DataLoss

if TYPE_CHECKING:
    from pathlib import Path

    from rung.events import Event
    from rung.execution.run import PlanPreview
    from rung.planning.plan import Goal

IDLE = ["look"]
LOCKED = ["look", "lock", "look", "unlock"]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> FakeSession:
    """The database that every URL leads to."""
    session = FakeSession()
    monkeypatch.setattr("rung.migrator.open_driver", lambda _: FakeDriver(session))
    return session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three migrations, the third without a down."""
    for name in ("1_a.up", "1_a.down", "2_b.up", "2_b.down", "3_c.up"):
        (tmp_path / f"{name}.sql").write_text("drop table t" if "down" in name else "select 1")
    return tmp_path


def migrator(folder: Path, told: list[Event] | None = None, wait: float | None = None) -> Migrator:
    """A migrator of the fake database."""
    heard: list[Event] = [] if told is None else told
    return Migrator("postgres://h/x", folder, listener=heard.append, wait_for_lock=wait)


def at(session: FakeSession, folder: Path, version: int | None) -> None:
    """Bring the database to a version, with the history that belongs to it."""
    if version is not None:
        migrator(folder).goto(version)
    session.calls.clear()


def test_up(session: FakeSession, folder: Path) -> None:
    """What is pending is looked for, looked for again under the lock, and run."""
    report = migrator(folder).up()

    assert report.version == 3
    ran = ["ensure tables", "whole 1", "whole 2", "whole 3 last"]
    assert session.calls == [*LOCKED[:3], *ran, "unlock"]


@pytest.mark.parametrize(("steps", "version", "short"), [(2, 2, 0), (0, None, 0), (9, 3, 6)])
def test_up_by_number(
    session: FakeSession, folder: Path, steps: int, version: int | None, short: int
) -> None:
    """At most so many run, and what there was too little of is told."""
    report = migrator(folder).up(steps)

    assert (report.version, report.missing_steps) == (version, short)


@pytest.mark.parametrize(
    ("ledger", "goal"), [(3, Up()), (3, Up(1)), (2, Goto(2)), (None, Down(None)), (3, Up(0))]
)
def test_nothing_to_do(session: FakeSession, folder: Path, ledger: int | None, goal: Goal) -> None:
    """Where there is nothing to do one look is all: no lock, no write."""
    at(session, folder, ledger)
    report = migrator(folder).run(goal)

    assert (report.nothing_to_do, report.version, session.calls) == (True, ledger, IDLE)


def test_down_and_goto(session: FakeSession, folder: Path) -> None:
    """Down alone is one step; goto goes either way."""
    (folder / "3_c.down.sql").write_text("drop table t")
    session.ledger = LedgerState(3)

    assert migrator(folder).down().version == 2
    assert migrator(folder).goto(1).version == 1
    assert migrator(folder).goto(3).version == 3
    assert migrator(folder).down(None).version is None


@pytest.mark.parametrize(
    ("ledger", "error"),
    [(LedgerState(2, dirty=True), DirtyLedger), (LedgerState(9), MissingMigrationFile)],
)
def test_a_bad_look_is_drawn_again(
    session: FakeSession, folder: Path, ledger: LedgerState, error: type[Exception]
) -> None:
    """Nothing but "nothing to do" is believed without the lock."""
    session.ledger = ledger

    with pytest.raises(error):
        migrator(folder).up()

    assert session.calls == LOCKED


def test_another_run_did_it(session: FakeSession, folder: Path) -> None:
    """Where the run that held the lock did all of it, nothing is left to do here."""
    session.locks = [False, True]
    session.history = (row(1, up="select 1", down="drop table t"), row(3, up="select 1"))
    session.history = (*session.history, row(2, up="select 1", down="drop table t"))
    looks = iter([LedgerState(), LedgerState(3)])
    look = session.inspect

    def later(**asked: object) -> object:
        session.ledger = next(looks)
        return look(**asked)  # type: ignore[arg-type]

    session.inspect = later  # type: ignore[assignment,method-assign]
    report = migrator(folder).up()

    assert (report.nothing_to_do, report.version) == (True, 3)
    assert session.calls == ["look", "lock", "look"]


def test_a_busy_database(session: FakeSession, folder: Path) -> None:
    """A look that somebody's work keeps from an answer leaves the question to the lock."""
    session.failing_looks = [
        DatabaseBusy(label="chat.db", said="database is locked", waited=5.0)
    ] * 2
    session.locks = [False, True]

    assert migrator(folder).up().version == 3
    assert session.calls[:3] == ["lock", "lock", "look"]


def test_not_waiting(session: FakeSession, folder: Path) -> None:
    """Told not to wait, a run that finds the lock held ends at once."""
    session.locks = [False]

    with pytest.raises(LockNotAcquired):
        migrator(folder, wait=0).up()


def test_the_first_run_makes_the_tables(session: FakeSession, folder: Path) -> None:
    """Ledger and history are made under the lock, before the first migration."""
    session.ledger_exists, session.history = False, None
    migrator(folder).up(1)

    assert session.calls == [*LOCKED[:3], "ensure tables", "whole 1 last", "unlock"]


def test_nothing_pending_lexes_nothing(
    session: FakeSession, folder: Path, lexed: list[str]
) -> None:
    """Where all digests agree, neither an up nor a status lexes a file."""
    up, down = "-- a\nselect 1", "-- b\ndrop table t"
    for path in folder.iterdir():
        path.write_text(down if "down" in path.name else up)
    session.ledger = LedgerState(3)
    session.history = (row(1, up=up, down=down), row(2, up=up, down=down), row(3, up=up))
    lexed.clear()

    assert migrator(folder).up().nothing_to_do
    assert not migrator(folder).status().pending
    assert lexed == []


def test_a_read_only_database(session: FakeSession, folder: Path) -> None:
    """A standby that is up to date is fine; one with something pending is refused."""
    session.place = replace(PLACE, read_only=True)
    with pytest.raises(ReadOnlyDatabase):
        migrator(folder).up()
    session.ledger = LedgerState(3)

    assert migrator(folder).up().nothing_to_do


@pytest.mark.parametrize("moved", [False, True])
def test_a_plan_that_was_shown(session: FakeSession, folder: Path, *, moved: bool) -> None:
    """A plan that was shown runs as it was shown, or not at all."""
    one = migrator(folder)
    preview = one.plan(Up(1))
    session.ledger = LedgerState(1 if moved else None)
    if moved:
        with pytest.raises(PlanChanged):
            one.run(Up(1), expected=preview.plan)
    else:
        assert one.run(Up(1), expected=preview.plan).version == 1


@pytest.mark.parametrize("moved", [False, True])
def test_a_plan_that_is_confirmed(session: FakeSession, folder: Path, *, moved: bool) -> None:
    """Somebody is asked on the same session without the lock; then that plan runs or none."""
    at(session, folder, 2)

    def confirm(preview: PlanPreview) -> Goal:
        assert "lock" not in session.calls
        session.ledger = LedgerState(1) if moved else session.ledger
        return preview.plan.goal

    with pytest.raises(PlanChanged) if moved else nullcontext():
        assert migrator(folder).run(Down(), confirm=confirm).version == 1
    assert session.calls[:3] == LOCKED[:3]
    assert session.calls[-1] == "unlock"


def test_a_plan_that_a_run_in_progress_hides(session: FakeSession, folder: Path) -> None:
    """A dirty ledger is inspected again under the lock, which is released before the question."""
    at(session, folder, 2)
    session.ledger = LedgerState(2, dirty=True)
    session.locks = [False, True]
    try_lock = session.try_lock

    def later() -> FakeSession | None:
        session.ledger = LedgerState(2)
        return try_lock()

    session.try_lock = later  # type: ignore[method-assign]

    def confirm(preview: PlanPreview) -> Goal:
        assert session.calls[-1] == "unlock"
        return preview.plan.goal

    assert migrator(folder).run(Down(), confirm=confirm).version == 1


def test_nobody_is_asked_for_nothing(session: FakeSession, folder: Path) -> None:
    """Where there is nothing to run, nobody is asked."""
    at(session, folder, None)

    def confirm(preview: PlanPreview) -> Goal:
        pytest.fail(f"asked about {preview}")

    assert migrator(folder).run(Down(), confirm=confirm).nothing_to_do


def test_each_warning_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a URL and a source leave out is said once, and again when the source changes."""
    driver = FakeDriver(FakeSession(), warnings=("left out",))
    monkeypatch.setattr("rung.migrator.open_driver", lambda _: driver)
    (folder / "4_d.sql").write_text("")
    told: list[Event] = []
    one = migrator(folder, told)
    one.up(1)
    one.status()
    (folder / "5_e.sql").write_text("")
    one.status()

    warned = [str(event) for event in told if isinstance(event, Warned)]
    assert [text.split(" are ")[0].split(" is ")[0] for text in warned] == [
        "left out",
        "4_d.sql",
        "4_d.sql and 5_e.sql",
    ]


def test_a_preview(session: FakeSession, folder: Path) -> None:
    """A preview reads the SQL and what it takes away, and touches nothing."""
    session.ledger = LedgerState(2)
    preview = migrator(folder).plan(Down())

    assert [item.file for item in preview.prepared] == ["2_b.down.sql"]
    assert [str(loss) for loss in preview.losses] == ["table t (3 rows)"]
    assert set(session.calls) == {"look"}


def test_a_preview_waits_as_what_only_reads(
    session: FakeSession, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a locked ledger it does not wait for as long as a run tries for a lock; a run does."""
    driver = FakeDriver(session)
    monkeypatch.setattr("rung.migrator.open_driver", lambda _: driver)
    one = migrator(folder)
    one.plan()
    one.up()

    assert [options.lock_retry_for for options in driver.connected] == [30.0, 600.0]


def test_a_fault_in_a_file_runs_nothing(session: FakeSession, folder: Path) -> None:
    """A file that cannot be read stops the run before its first step."""
    (folder / "3_c.up.sql").write_text("select 'open")

    with pytest.raises(ScriptError, match=r"3_c\.up\.sql"):
        migrator(folder).up()

    assert session.calls == LOCKED


def test_no_files(session: FakeSession, tmp_path: Path) -> None:
    """An empty folder is an error that is no news of the database."""
    with pytest.raises(EmptySource):
        migrator(tmp_path).up()


def test_reading(session: FakeSession, folder: Path) -> None:
    """Version, status and history read only."""
    session.ledger = LedgerState(2, dirty=True)
    one = migrator(folder)

    assert one.version() == LedgerState(2, dirty=True)
    assert [line.state for line in one.status().lines] == ["applied", "dirty", "pending"]
    assert one.history() == ()
    assert session.calls == IDLE * 3


@pytest.mark.parametrize("version", [2, None])
def test_force(session: FakeSession, folder: Path, version: int | None) -> None:
    """A version is recorded under the lock, without a look at a ledger that may be broken."""
    session.ledger = LedgerState(3, dirty=True)
    session.history = (row(3, up="select 1"),)
    migrator(folder).force(version)

    assert session.ledger == LedgerState(version)
    assert session.calls == ["lock", "ensure tables", f"force {version}", "unlock"]


def test_force_wants_a_file(session: FakeSession, folder: Path) -> None:
    """A version without a file is recorded only when that is meant."""
    with pytest.raises(MissingMigrationFile):
        migrator(folder).force(7)
    migrator(folder).force(7, allow_missing_file=True)

    assert session.ledger == LedgerState(7)


@pytest.mark.parametrize("what", ["force", "drop"])
def test_writing_a_read_only_database(session: FakeSession, folder: Path, what: str) -> None:
    """What writes is refused on a standby before it locks anything."""
    session.place = replace(PLACE, read_only=True)
    one = migrator(folder)
    with pytest.raises(ReadOnlyDatabase):
        one.force(1) if what == "force" else one.drop()

    assert session.calls == []


def test_near_misses_are_told(session: FakeSession, folder: Path) -> None:
    """Names that look meant reach the listener."""
    (folder / "4_d.sql").touch()
    told: list[Event] = []
    migrator(folder, told).up()

    assert isinstance(told[0], Warned)
    assert told[0].message.startswith("4_d.sql is ignored")


def test_lost_while_looking(
    session: FakeSession, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection lost outside a migration is told with the database's name."""

    def gone(**_: object) -> None:
        raise Disconnected("reset by peer")

    monkeypatch.setattr(session, "inspect", gone)
    with pytest.raises(ConnectionFailed, match=r"ada@db/chatapp was lost: reset by peer"):
        migrator(folder).version()


def test_drop(session: FakeSession, folder: Path) -> None:
    """What would go can be asked beforehand; dropping happens under the lock and returns it."""
    session.droppable = (DataLoss("table", "t").counted(3),)
    one = migrator(folder)

    assert one.everything() == one.drop() == session.droppable
    assert session.calls == ["lock", "drop", "unlock"]


def test_a_dirty_ledger_is_explained(session: FakeSession, folder: Path) -> None:
    """What the history knows of the attempt that did not finish is part of the error."""
    session.ledger = LedgerState(2, dirty=True)
    under_way = row(2, outcome=Outcome.RUNNING, name="b")
    facts = {"statements_total": 4, "in_flight": 2, "error": "it broke"}
    session.history = (replace(under_way, **facts),)  # type: ignore[arg-type]

    with pytest.raises(DirtyLedger) as caught:
        migrator(folder).up()

    assert caught.value.detail == (
        "The history says: up of version 2 (b) began 2026-01-01 12:00:00 UTC on box; "
        "1 of 4 statements are committed; statement 2 was running; it broke."
    )


def test_the_wait_is_told(session: FakeSession, folder: Path) -> None:
    """A report says how long it took to get the lock that another run held at first."""
    session.locks = [False]

    assert migrator(folder).up().waited_seconds > 0.01


def test_dropping_more_than_was_shown(session: FakeSession, folder: Path) -> None:
    """What came after somebody was asked is not dropped with the rest."""
    session.droppable = (DataLoss("table", "public.a"), DataLoss("table", "public.late"))

    with pytest.raises(PlanChanged):
        migrator(folder).drop(expected=(DataLoss("table", "public.a", rows=3),))

    assert "drop" not in session.calls
