"""Files, ledger and history side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from tests.unit.fakes import PLACE, SQL, migrations
from tests.unit.history import NOON
from tests.unit.history import row as any_row

from rung.drivers.contract import Inspection
from rung.ledger import Attempt, LedgerState, Outcome
from rung.planning.status import Status, make_status
from rung.script import checksum, read

row = partial(any_row, up=SQL)
FILES = migrations(up1=SQL, up2=SQL, down3=SQL)


def status(ledger: LedgerState, *history: Attempt) -> Status:
    """The status of three files."""
    return make_status(FILES, Inspection(PLACE, ledger, ledger_exists=True, history=history))


@pytest.mark.parametrize(
    ("ledger", "states"),
    [
        (LedgerState(), "pending pending down-only"),
        (LedgerState(-1), "pending pending down-only"),
        (LedgerState(2), "applied applied down-only"),
        (LedgerState(3), "applied applied down-only"),
        (LedgerState(2, dirty=True), "applied dirty down-only"),
        (LedgerState(-1, dirty=True), "pending pending down-only"),
        (LedgerState(9), "applied applied down-only ahead"),
        (LedgerState(0), "missing pending pending down-only"),
    ],
)
def test_states(ledger: LedgerState, states: str) -> None:
    """What is at or below the ledger's version is applied; a version without a file is missing."""
    found = status(ledger)

    assert " ".join(line.state for line in found.lines) == states
    assert [line.version for line in found.lines] == sorted(line.version for line in found.lines)


def test_nothing_is_lexed_where_digests_agree(lexed: list[str]) -> None:
    """A status lexes what is pending or edited, not the files that the history has."""
    up, down = "-- the table\nCREATE TABLE t (a int);", "/* undo */ DROP TABLE t;"
    files = migrations(up1=up, down1=down, up2=up, down2=f"{down} -- goose", up3=up)
    history = (row(1, up=up, down=down), row(2, up=up, down=down))
    look = Inspection(PLACE, LedgerState(2), ledger_exists=True, history=history)
    lexed.clear()

    states = [line.state for line in make_status(files, look).lines]

    assert states == ["applied", "applied", "pending"]
    assert set(lexed) == {f"{down} -- goose", up}
    assert lexed.count(up) == 1


def test_pending() -> None:
    """Pending is what an up would apply."""
    assert status(LedgerState(1)).pending == (2,)


def test_what_the_history_adds() -> None:
    """The last move up that ended well tells when, how long and by which role."""
    found = status(
        LedgerState(2),
        row(1),
        row(1, "down"),
        row(1, hour=5),
        row(2, outcome=Outcome.FAILED),
        row(2, "force"),
    )

    first, second, _ = found.lines
    assert (first.finished, first.seconds) == (NOON + timedelta(hours=5, seconds=2), 2)
    assert (first.checksum, first.tool) == (checksum(read(SQL)), "rung")
    assert (second.state, second.finished, second.seconds) == ("forced", None, None)


_STOPPED = replace(row(1, "down", outcome=Outcome.FAILED), statements_done=2)
_BY_REPAIR = replace(row(1, "force"), tool="rung repair")


@pytest.mark.parametrize(
    ("later", "state"),
    [
        ((_STOPPED, row(1, "force")), "forced"),
        ((replace(_STOPPED, outcome=Outcome.RUNNING), row(1, "force")), "forced"),
        ((_STOPPED, row(2, "force")), "forced"),
        ((_STOPPED, row(1, "force"), row(1, "down"), row(1)), "applied"),
        ((_STOPPED, row(1, "force"), row(1, "mark-applied")), "applied"),
        ((_STOPPED, _BY_REPAIR), "applied"),
        ((replace(_STOPPED, statements_done=0), row(1, "force")), "applied"),
    ],
)
def test_a_down_that_stopped_and_was_passed_over(later: tuple[Attempt, ...], state: str) -> None:
    """A part of it is gone, whatever the ledger was forced to."""
    assert status(LedgerState(later[-1].version), row(1), *later).lines[0].state == state


def test_a_version_gone_down_and_brought_back_by_another_tool() -> None:
    """What the history knows ended with the down; the ledger alone says that it is applied."""
    found = status(LedgerState(1), row(1), row(1, "down"))

    assert (found.lines[0].state, found.lines[0].finished) == ("applied", None)
    assert found.notes[0].startswith("Another tool changed the ledger")


def test_the_name_of_a_version_ahead() -> None:
    """A version without a file is called what the history calls it."""
    assert status(LedgerState(9), row(9, name="n9")).lines[-1].name == "n9"
    assert status(LedgerState(9)).lines[-1].name == ""


def test_late_and_missing() -> None:
    """Below the ledger: what the history lacks is late, what has no up file is missing."""
    found = status(LedgerState(4), row(0), row(1), row(4), row(3))

    assert [(line.version, line.state) for line in found.lines] == [
        (0, "missing"),
        (1, "applied"),
        (2, "out of order"),
        (3, "missing"),
        (4, "ahead"),
    ]
    assert found.versions("out of order") == (2,)


def test_edited() -> None:
    """An edited up is a state, an edited down a note, and comments are nothing."""
    files = migrations(up1="select 2", up2="-- new\nselect 1", up3="select 1", down3="select 2")
    ups = (row(1, up="select 1"), row(2, up="select 1"), row(3, up="select 1", down="select 1"))
    found = make_status(files, Inspection(PLACE, LedgerState(3), ledger_exists=True, history=ups))

    assert [(line.state, bool(line.note)) for line in found.lines] == [
        ("edited", False),
        ("applied", False),
        ("applied", True),
    ]
    assert [line.version for line in found.problems] == [1]


def test_without_a_history() -> None:
    """What cannot be told apart is said."""
    look = Inspection(PLACE, LedgerState(2), ledger_exists=True, history=None)
    found = make_status(FILES, look)

    assert [line.state for line in found.lines] == ["applied", "applied", "down-only"]
    assert found.notes[0].startswith("There is no history")
    assert make_status(FILES, replace(look, ledger=LedgerState())).notes == ()


def test_the_whole_picture() -> None:
    """Database, schema, server and source are named, and a missing history is told."""
    found = make_status(FILES, Inspection(PLACE, LedgerState(), ledger_exists=False, history=None))

    assert (found.database, found.schema, found.server, found.source) == (
        "chatapp",
        "public",
        "Fake 1",
        "folder",
    )
    assert (found.ledger_exists, found.history_exists) == (False, False)
