"""Status, history, plan and errors as people read them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.render.samples import (
    EDITED,
    ERRORS,
    HEALTH,
    HISTORY,
    STATUS,
    UNSETTLED,
    late_preview,
    preview,
)

from rung.diagnostics import Diagnostics
from rung.errors import MigrationFailed, ServerMessage, SourceLocation, UsageError
from rung.ledger import LedgerState
from rung.planning.plan import Down, Goto, Up
from rung.render.doctor import diagnostics_lines, diagnostics_summary
from rung.render.errors import error_text
from rung.render.tables import (
    check_summary,
    down_lines,
    drop_lines,
    edit_lines,
    history_table,
    plan_lines,
    plan_summary,
    problem_table,
    status_summary,
    status_table,
    step_range,
)
from rung.render.terminal import Style
from rung.script.data_loss import DataLoss

_GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
_PLAIN, _COLOURS = Style(), Style(enabled=True)

CASES: dict[str, list[str]] = {
    "status": status_table(STATUS, _PLAIN, local=False),
    "status-colours": status_table(STATUS, _COLOURS, local=False),
    "status-states": status_table(UNSETTLED, _PLAIN, local=False),
    "check": problem_table(UNSETTLED, _PLAIN),
    "check-colours": problem_table(STATUS, _COLOURS),
    "edit": edit_lines((EDITED, EDITED._replace(diff="")), _PLAIN),
    "edit-colours": edit_lines((EDITED,), _COLOURS),
    "history": history_table(HISTORY, _PLAIN, local=False),
    "plan-up": plan_lines(preview(Up(), None), _PLAIN),
    "plan-down": plan_lines(preview(Down(None), 2), _PLAIN),
    "plan-late": plan_lines(late_preview(), _PLAIN),
    "doctor": diagnostics_lines(HEALTH, _PLAIN),
    "down": down_lines(preview(Down(None), 2)),
    "drop": drop_lines((DataLoss("table", "public.users", "", 1200),)),
    **{f"error-{name}": error_text(error, _PLAIN).splitlines() for name, error in ERRORS.items()},
    "error-colours": error_text(ERRORS["migration-failed"], _COLOURS).splitlines(),
    "error-edited-colours": error_text(ERRORS["edited-migrations"], _COLOURS).splitlines(),
}


@pytest.mark.parametrize("case", CASES)
def test_a_view_is_as_it_was_agreed(case: str) -> None:
    """Line by line."""
    expected = (_GOLDEN / f"{case}.txt").read_text().splitlines()

    assert expected == [_COLOURS.safe(line) for line in CASES[case]]


def test_a_status_is_summed_up() -> None:
    """Where, at what, and what is left."""
    expected = "chat (schema public, PostgreSQL 18.6), dirty at version 2; 1 pending"

    assert expected == status_summary(STATUS)
    assert status_summary(UNSETTLED).endswith(
        ", clean at version 9; nothing pending, 1 out of order, 1 edited, 1 missing, 1 ahead"
    )


def test_health_is_summed_up() -> None:
    """How many problems, how many remarks; or that there is none."""
    assert diagnostics_summary(HEALTH) == "chat; 2 problems found, 1 remark"
    assert diagnostics_summary(Diagnostics("chat", dirty=False)) == "chat; no problem found"


def test_a_check_is_summed_up() -> None:
    """The worst first; where nothing is wrong, that is said."""
    sound = replace(UNSETTLED, lines=UNSETTLED.lines[:1])
    unnamed = replace(sound, ledger=LedgerState(-1, dirty=True))

    assert check_summary(STATUS) == "chat, dirty at version 2; 1 dirty, 1 pending"
    assert check_summary(UNSETTLED).endswith("; 1 ahead, 1 edited, 1 out of order, 1 missing")
    assert check_summary(sound) == "chat, clean at version 9; up to date"
    assert check_summary(unnamed) == "chat, dirty at no version"


@pytest.mark.parametrize(
    ("goal", "version", "expected"),
    [
        (Up(), None, "Would apply 2 migrations; the database would be at version 2."),
        (Down(), 1, "Would revert 1 migration; the database would be at no version."),
        (Goto(1), 1, "Nothing to do; the database is at version 1."),
    ],
)
def test_a_plan_is_summed_up(goal: Up | Down | Goto, version: int | None, expected: str) -> None:
    """How many, which way, and where it ends."""
    assert expected == plan_summary(preview(goal, version))


def test_a_late_plan_leaves_the_database_where_it_is() -> None:
    """The ledger holds the highest version."""
    expected = "Would apply 1 migration; the database would stay at version 2."

    assert expected == plan_summary(late_preview())


def test_the_way_down_is_told_with_both_ends() -> None:
    """For the question before it is gone."""
    assert step_range(preview(Goto(1), 2).plan) == "from version 2 to version 1"
    assert step_range(preview(Down(), 1).plan) == "from version 1 to no version"


def test_a_down_that_takes_nothing_says_so() -> None:
    """An empty list would look like an oversight."""
    lines = down_lines(preview(Goto(1), 2))

    assert lines[-1] == "detail: Their SQL drops no table or column and deletes no rows."


def test_a_long_line_is_cut_around_the_caret() -> None:
    """So that both stay on the screen."""
    sql = "x" * 5000 + "HERE" + "y" * 5000
    arrow, line, caret = SourceLocation("1_a.up.sql", 1, 5001, sql).lines()

    assert arrow == "  --> 1_a.up.sql:1:5001"
    assert line.index("HERE") == caret.index("^")
    assert (line.count("…"), len(line) < 130) == (2, True)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (SourceLocation("f", 5, 5, "ADD txt NOT"), ["f:5:5", "5 | ADD txt NOT", "  |     ^^^"]),
        (SourceLocation("f", 1, 4, "\t表表x"), ["f:1:4", "1 | \t表表x", "  | \t    ^"]),
        (
            SourceLocation("f", 1, 8, 'DROP x "y z";', 8),
            ["f:1:8", '1 | DROP x "y z";', "  |        ^^^^^"],
        ),
        (SourceLocation("f", 12, 9, "SELECT 1"), ["f:12:9", "12 | SELECT 1", "   |         ^"]),
        (SourceLocation("f", 3, 0, "INSERT"), ["f:3", "3 | INSERT"]),
        (SourceLocation("f"), ["f"]),
    ],
)
def test_carets_stand_below_the_word(location: SourceLocation, expected: list[str]) -> None:
    """Behind tabs and wide letters; without a column, or a statement, there are none."""
    arrow, *excerpt = expected

    assert location.lines() == (f"  --> {arrow}", *(f"  {line}" for line in excerpt))


def test_an_error_without_text_is_still_an_error() -> None:
    """Never an exception while one is shown."""
    assert error_text(UsageError(""), _PLAIN) == "error: "


def test_all_lines_of_a_server_message_are_shown() -> None:
    """A message of several lines stays under its error."""
    server = ServerMessage("first\nsecond", "P0001")
    place = SourceLocation("1_a.up.sql")
    error = MigrationFailed((), "now", version=1, direction="up", place=place, server=server)

    expected = "error: migration 1 failed: first\n  second (SQLSTATE P0001)\n  --> 1_a.up.sql"
    assert error_text(error, _PLAIN).startswith(expected)
