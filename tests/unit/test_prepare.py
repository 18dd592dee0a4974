"""The SQL of a plan is read before it runs, and only new texts are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import migrations
from tests.unit.history import digest, row

from rung.drivers.contract import FileVersion
from rung.errors import DirectiveUnusable, UnbalancedTransaction, UnterminatedToken
from rung.execution.history import Attempts, Recorder
from rung.execution.preflight import prepare
from rung.ledger import LedgerState, Outcome
from rung.planning.plan import Down, Up, make_plan
from rung.script import Dialect, checksum, read

if TYPE_CHECKING:
    from rung.drivers.contract import NewAttempt
    from rung.ledger import Attempt

UP, DOWN = "create table a ()", "drop table a"


def entry(version: int | None, up: str | None, down: str | None) -> Attempt:
    """A row of the history for halves with these texts."""
    return row(version, up=up, down=down, outcome=Outcome.FAILED)


def recorded(*history: Attempt, up: str = UP, down: str = DOWN) -> NewAttempt:
    """The record of the one step up of a pair."""
    (item,) = prepare(make_plan(Up(), migrations(up1=up, down1=down), LedgerState()))
    return Recorder.of(history).attempt(item)


def test_a_new_pair() -> None:
    """Both halves have checksums, and both texts are kept the first time."""
    item = recorded()

    assert item.up == FileVersion(checksum(read(UP)), digest(UP), UP)
    assert item.down == FileVersion(checksum(read(DOWN)), digest(DOWN), DOWN)


@pytest.mark.parametrize(
    ("history", "kept"),
    [
        ([entry(1, UP, DOWN)], (None, None)),
        ([entry(1, UP, None)], (None, DOWN)),
        ([entry(1, UP, None), entry(1, None, DOWN)], (None, None)),
        ([entry(2, UP, DOWN), entry(None, None, None)], (UP, DOWN)),
        ([entry(1, DOWN, UP)], (UP, DOWN)),
        ([entry(1, UP, DOWN), entry(1, "select 1", "select 2")], (None, None)),
    ],
)
def test_known_texts_are_not_kept_again(
    history: list[Attempt], kept: tuple[str | None, str | None]
) -> None:
    """A text is kept only where no earlier row of its version and half has the same."""
    item = recorded(*history)

    assert item.up
    assert item.down
    assert (item.up.sql, item.down.sql) == kept


def test_a_directive_is_understood_before_anything_runs() -> None:
    """What an older build could not read stops the newer one that writes it."""
    with pytest.raises(DirectiveUnusable) as caught:
        recorded(up="-- rung: compatible-with seven\nSELECT 1")

    assert (caught.value.file, caught.value.line) == ("1_m1.up.sql", 1)


def test_a_down_says_nothing_of_older_builds() -> None:
    """A directive that only an up can mean keeps nobody from going back."""
    said = "-- rung: compatible-with seven"
    (item,) = prepare(make_plan(Down(), migrations(up1=UP, down1=said), LedgerState(1)))

    assert item.script.text == said


@pytest.mark.parametrize("earlier", [None, DOWN])
def test_a_fault_in_the_other_half(earlier: str | None) -> None:
    """A down that cannot be read stops no up; it has no checksum and its text is not kept."""
    item = recorded(entry(1, UP, earlier), down="drop 'table")

    assert item.down == FileVersion(None, digest("drop 'table"), None)


def test_a_missing_half() -> None:
    """A step without a file is an empty script of no file; the other half's text is kept."""
    (item,) = prepare(make_plan(Up(), migrations(down1=DOWN), LedgerState(), passes_empty=True))
    record = Recorder().attempt(item)

    assert (item.file, len(item.script.statements)) == ("", 0)
    assert record.up is None
    assert record.down
    assert record.down.sql == DOWN


def test_going_down() -> None:
    """Downwards the down half is the script, and the up's text is kept as well."""
    plan = make_plan(Down(), migrations(up1=UP, down1=DOWN), LedgerState(1))
    (item,) = prepare(plan)

    assert (item.script.text, item.file) == (DOWN, "1_m1.down.sql")
    kept = Recorder().attempt(item).up
    assert kept
    assert kept.sql == UP


def test_records_made_ahead() -> None:
    """Looking ahead makes the next record once; taking gives each step's, in order."""
    items = prepare(make_plan(Up(), migrations(up1=UP, up2=UP, up3=UP), LedgerState()))
    attempts = Attempts(Recorder(), items)

    first = attempts.take()
    attempts.sent()
    attempts.sent()
    rest = [attempts.take(), attempts.take()]
    attempts.sent()

    assert [first.version, *(record.version for record in rest)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [("select 1;\n'open", UnterminatedToken, 2), ("\n\nbegin; select 1", UnbalancedTransaction, 3)],
)
def test_a_file_that_cannot_be_read(
    text: str, kind: type[UnterminatedToken | UnbalancedTransaction], line: int
) -> None:
    """A fault anywhere in the plan is raised with its file and line before anything runs."""
    plan = make_plan(Up(), migrations(up1=UP, up2=text), LedgerState())

    with pytest.raises(kind) as caught:
        prepare(plan)

    assert (caught.value.file, caught.value.line) == ("2_m2.up.sql", line)


def test_the_sessions_backslashes() -> None:
    """Where the session reads backslashes as escapes, so does the reading."""
    plan = make_plan(Up(), migrations(up1=r"select '\'; drop table a'"), LedgerState())

    with pytest.raises(UnterminatedToken):
        prepare(plan)
    (item,) = prepare(plan, Dialect.POSTGRES_ESCAPES)
    assert len(item.script.statements) == 1
