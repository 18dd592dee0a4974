"""Which row of the history tells where a file stopped, and which does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.fakes import FakeDriver, FakeSession, migrations, refused
from tests.unit.history import row

from rung.cancellation import CancelToken
from rung.drivers.transaction import ExecutionResult
from rung.errors import CannotResume, MigrationFailed
from rung.events import ignore
from rung.execution.command import Target
from rung.execution.run import preview, run_goal
from rung.ledger import LedgerState, Outcome
from rung.planning.plan import Down, Up
from rung.planning.resume import unfinished, was_rejected

_TEXT = "SELECT 1; VACUUM; SELECT 3"
_DIRTY = LedgerState(1, dirty=True)
_CUT = replace(row(1, outcome=Outcome.RUNNING, up=_TEXT), statements_total=3)


def _target(session: FakeSession) -> Target:
    return Target(FakeDriver(session), ignore, CancelToken())


@pytest.mark.parametrize(
    ("last", "ledger", "fits"),
    [
        (_CUT, _DIRTY, True),
        (_CUT, LedgerState(1), False),
        (_CUT, LedgerState(0, dirty=True), False),
        (_CUT, LedgerState(7, dirty=True), True),
        (replace(_CUT, outcome=Outcome.FAILED), _DIRTY, True),
        (replace(_CUT, outcome=Outcome.FAILED, statements_done=0), _DIRTY, False),
        (replace(_CUT, outcome=Outcome.FAILED, statements_done=0, in_flight=1), _DIRTY, True),
        (replace(_CUT, outcome=Outcome.DONE), _DIRTY, False),
        (replace(_CUT, direction="down"), LedgerState(-1, dirty=True), True),
        (replace(_CUT, direction="down"), _DIRTY, False),
        (replace(_CUT, direction="force"), _DIRTY, False),
    ],
)
def test_the_last_row_is_the_evidence(last: object, ledger: LedgerState, *, fits: bool) -> None:
    """One that fits the dirty ledger, and was not rolled back."""
    assert (unfinished([last], ledger) is last) == fits  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("in_flight", "ended", "done"), [(None, None, 1), (2, True, 2), (2, False, 1)]
)
def test_what_is_under_way_is_asked(
    in_flight: int | None, *, ended: bool | None, done: int
) -> None:
    """A statement that the catalog has as finished is one of those that are done."""
    last = replace(_CUT, statements_done=1, in_flight=in_flight)
    session = FakeSession(_DIRTY, history=(last,), ended=ended)
    plan = preview(_target(session), migrations(up1=_TEXT, up2="SELECT 1"), Up(resume=True)).plan

    assert [(step.version, step.done, step.continues) for step in plan.steps] == [
        (1, done, "a"),
        (2, 0, ""),
    ]


@pytest.mark.parametrize(
    ("error", "rejected"),
    [
        ("statement 2: no such index", True),
        ("statement 3: no such index", False),
        ("permission denied for table schema_migrations_history", False),
        ("cut off: its end was not seen", False),
        (None, False),
    ],
)
def test_the_catalog_is_not_asked_about_an_error(error: str | None, *, rejected: bool) -> None:
    """The database rejected that statement; a record of ours may fail after it was done."""
    entry = replace(_CUT, outcome=Outcome.FAILED, in_flight=2, error=error)

    assert was_rejected(entry) == rejected
    assert not was_rejected(replace(entry, outcome=Outcome.RUNNING))


def test_what_nothing_tells_is_refused() -> None:
    """The statement is named."""
    session = FakeSession(_DIRTY, history=(replace(_CUT, in_flight=2),), ended=None)

    with pytest.raises(CannotResume, match="statement 2 on line 1 \\(VACUUM\\)"):
        preview(_target(session), migrations(up1=_TEXT), Up(resume=True))


def test_only_what_is_left_is_sent() -> None:
    """From a dirty mark of its own, behind the settings that were made before."""
    text = "SET a.b = 1; VACUUM; SELECT 3"
    session = FakeSession(_DIRTY, history=(replace(_CUT, up_checksum=None),))
    session.history = (replace(_CUT, up_checksum=row(1, up=text).up_checksum, statements_done=2),)
    run_goal(_target(session), migrations(up1=text), Up(resume=True), None)

    assert [call for call in session.calls if call.split()[0] in {"begin", "replay", "unit", "end"}]
    assert session.calls[-5:-1] == ["begin 1", "replay 1", "unit 3-3 ours", "end done"]
    assert session.ledger == LedgerState(1)


def test_a_down_that_nobody_began_is_not_begun() -> None:
    """On a clean database down --resume does nothing."""
    session = FakeSession(LedgerState(1), history=(row(1, up=_TEXT),))

    assert run_goal(
        _target(session), migrations(up1=_TEXT, down1=""), Down(resume=True), None
    ).nothing_to_do


def test_a_roll_back_is_not_gone_on_with() -> None:
    """What a repair was taking away is repair's; the way down would take it for the file."""
    cut = replace(_CUT, version=2, direction="down")
    session = FakeSession(_DIRTY, history=(row(1, up=_TEXT), cut))

    with pytest.raises(CannotResume, match="rolling version 2 back"):
        preview(_target(session), migrations(up1=_TEXT, down2=_TEXT), Down(resume=True))


@pytest.mark.parametrize("ledger", [_DIRTY, LedgerState(7, dirty=True)], ids=["newest", "late"])
def test_what_changed_nothing_behind_it_is_passed_over(ledger: LedgerState) -> None:
    """An edit taken over by a run that died then, and a roll back that was undone whole."""
    undone = replace(_CUT, direction="down", outcome=Outcome.FAILED, statements_done=0)
    rows = [_CUT, undone, replace(row(1), direction="edit")]

    assert unfinished(rows, ledger) is _CUT


@pytest.mark.parametrize(
    ("history", "advice"), [((), "rung up --resume"), (None, "run `rung repair`: it compares")]
)
def test_the_way_on_of_a_failure(history: tuple[()] | None, advice: str) -> None:
    """Without a history nothing tells where the file stopped."""
    session = FakeSession(history=history, answers=[ExecutionResult(), refused()])

    with pytest.raises(MigrationFailed) as failed:
        run_goal(_target(session), migrations(up1=_TEXT), Up(), None)
    assert advice in failed.value.hint
