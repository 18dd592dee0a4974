"""The one action that is proposed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.history import row
from tests.unit.repair.cases import candidate, snapshot, tried

from rung.ledger import LedgerState, Outcome
from rung.repair import (
    Proof,
    Rollback,
    StateMatch,
    judge,
    propose,
    report_statements,
    undo_candidates,
)
from rung.repair.propose import why_not_resume
from rung.script import read
from rung.script.data_loss import DataLoss
from rung.source import Direction

A, B = "table a", "table b"
PROVED = Rollback(Proof.PROVED)
DIRTY = LedgerState(2, dirty=True)
TWO = "CREATE TABLE a (x int);\nCREATE TABLE b (x int);"
DOWN = read("DROP TABLE b;\nDROP TABLE a;")
BUILD = "CREATE TABLE a (x int);\nCREATE {} CONCURRENTLY i ON a (x);"
FAILED = replace(row(2, outcome=Outcome.FAILED), statements_done=1)


def finding(*live: str, failure: str = "", error: str | None = None, text: str = TWO) -> StateMatch:
    """The matches of two statements; with an error by the history."""
    attempt = replace(FAILED, error=error) if error else None
    objects = (A,) if failure else (A, B)
    return judge(
        [[tried(candidate(text, attempt=attempt), *objects, failure=failure)]], snapshot(*live)
    )


def half(kind: str) -> StateMatch:
    """The matches of an index build that left an invalid index."""
    one = tried(candidate(BUILD.format(kind)), A, "index public.i")
    live = one.states[-2].snapshot
    return judge([[one]], live)


@pytest.mark.parametrize(
    ("live", "kind", "version"), [((), "mark", 1), ((A, B), "mark", 2), ((A,), "resume", 2)]
)
def test_an_action(live: tuple[str, ...], kind: str, version: int) -> None:
    """All or nothing is marked, a part is resumed."""
    action = propose(finding(*live), DIRTY)

    assert action is not None
    assert (action.kind.value, action.version) == (kind, version)


def test_a_resumed_step() -> None:
    """It resumes after what is committed, from exactly the dirty ledger."""
    action = propose(finding(A), DIRTY)

    assert action is not None
    assert action.plan is not None
    (step,) = action.plan.steps
    assert (action.plan.made_for, step.done, step.before, step.after) == (DIRTY, 1, 1, 2)
    assert action.sql == "CREATE TABLE b (x int);"


@pytest.mark.parametrize(
    "one",
    [
        finding(A, failure="line 2: no"),
        finding(A, error="statement 2: no (SQLSTATE 23505)"),
        finding(A, error="statement 2: no (SQLSTATE 22012)"),
        finding(A, error="statement 2: UNIQUE constraint failed: users.email"),
    ],
)
def test_what_would_fail_again_is_rolled_back(one: StateMatch) -> None:
    """Where the rest fails on scratch, or on the rows; only with SQL that is proved harmless."""
    action = propose(one, DIRTY, "DROP TABLE a;", PROVED)

    assert action is not None
    assert (action.kind.value, action.version, action.sql) == ("roll back", 1, "DROP TABLE a;")
    for proof in (Proof.REFUTED, Proof.NOT_PROVED):
        assert propose(one, DIRTY, "DROP TABLE a;", Rollback(proof, "why")) is None
    assert propose(one, DIRTY) is None


def test_a_rollback_lists_the_rows_that_it_loses() -> None:
    """Empty tables are no loss."""
    gone = (DataLoss("table", "a").counted(2), DataLoss("table", "b").counted(0))
    action = propose(finding(A, failure="no"), DIRTY, "DROP TABLE a;", replace(PROVED, losses=gone))

    assert action is not None
    assert [str(one) for one in action.losses] == ["table a (2 rows)"]


def test_other_errors_do_not_keep_from_resuming() -> None:
    """A lock that was not had, a statement that was cancelled."""
    assert why_not_resume(finding(A, error="statement 2: no (SQLSTATE 55P03)")) == ""
    assert why_not_resume(half("INDEX")) == ""


def test_another_tools_unique_index_is_resumed_with_a_caution() -> None:
    """It loses nothing where it fails again."""
    action = propose(half("UNIQUE INDEX"), DIRTY)

    assert action is not None
    assert action.kind.value == "resume"
    assert "probably failed on duplicate rows" in action.caution


def test_a_session_that_cannot_be_made_again_is_not_resumed() -> None:
    """The rest of the file might land elsewhere."""
    one = replace(finding(A), unrestorable="statement 1 runs code")

    assert why_not_resume(one) == "statement 1 runs code"
    assert propose(one, DIRTY) is None


def test_what_may_undo() -> None:
    """The whole down, then its ends."""
    assert undo_candidates(finding(A), DOWN) == (DOWN.text, "DROP TABLE a;\n")
    assert undo_candidates(finding(A), None) == ()


@pytest.mark.parametrize("moves", ["ALTER TABLE a RENAME TO b", "ALTER TABLE a SET SCHEMA b"])
def test_no_end_of_a_down_that_renames_is_tried(moves: str) -> None:
    """Tables of one shape that exchanged their names look as before."""
    assert undo_candidates(finding(A), read(f"{moves}; DROP TABLE a")) == ()


def test_an_invalid_index_is_dropped_first() -> None:
    """By its name, in the same transaction, alone or before the down."""
    drop = "DROP INDEX IF EXISTS public.i;\n"

    assert undo_candidates(half("UNIQUE INDEX"), None) == (drop,)
    assert undo_candidates(half("UNIQUE INDEX"), DOWN) == (
        drop,
        DOWN.text,
        drop + DOWN.text,
        f"{drop}DROP TABLE a;\n",
    )


def test_a_change_of_rows_is_undone_by_the_whole_down_alone() -> None:
    """A part of the down may leave the rows changed."""
    text = "UPDATE users SET x = 1;\nCREATE TABLE a (x int);"
    one = tried(candidate(text), "", A, failure="no")
    found = judge([[one]], snapshot(), stated_done=1)

    assert undo_candidates(found, DOWN) == (DOWN.text,)


@pytest.mark.parametrize(
    ("text", "undone"), [(TWO, ("DROP TABLE a;\n",)), (f"CREATE ROLE r;\n{TWO}", ())]
)
def test_what_scratch_passes_over_is_not_proven(text: str, undone: tuple[str, ...]) -> None:
    """A role is never dropped; where the file may have made it, nothing is proposed."""
    one = tried(candidate(text), *([A] if text is TWO else ["", A]), failure="no")
    found = judge([[one]], snapshot(A), stated_done=len(one.states) - 1)
    down = read("DROP TABLE a;\nDROP ROLE r;")

    assert undo_candidates(found, down) == undone


def test_what_was_being_rolled_back_is_not_resumed() -> None:
    """The reason for rolling it back has not gone."""
    one = finding(A)
    assert one.trial is not None
    undone = replace(one.trial, candidate=replace(one.trial.candidate, undo=FAILED))

    assert "rolled back" in why_not_resume(replace(one, trial=undone))


def test_rows_that_were_changed_before_a_build_failed() -> None:
    """To drop the index alone would have the change made a second time by the next up."""
    text = "UPDATE users SET x = 1;\nCREATE UNIQUE INDEX CONCURRENTLY i ON users (x);"
    one = tried(candidate(text), "", "index public.i")
    found = judge([[one]], one.states[-2].snapshot, stated_done=1)

    assert found.partial == 2
    assert undo_candidates(found, None) == ()


def test_no_secret_is_shown() -> None:
    """What is proposed is masked; what runs is not."""
    text = f"{TWO}\nALTER ROLE ada PASSWORD 'tr0ub4dor';"
    resumed = propose(finding(A, text=text), DIRTY)
    undo = "ALTER ROLE ada PASSWORD 'tr0ub4dor';"
    undone = propose(finding(A, failure="no"), DIRTY, undo, PROVED)

    for action in (resumed, undone):
        assert action is not None
        assert action.plan is not None
        assert action.sql.endswith("ALTER ROLE ada PASSWORD '***';")
        (step,) = action.plan.steps
        assert step.half is not None
        assert "tr0ub4dor" in step.half.text


def test_half_a_down_is_only_resumed() -> None:
    """Its up would make empty what it has dropped."""
    one = judge([[tried(candidate(TWO, Direction.DOWN), A, B)]], snapshot(A))

    assert undo_candidates(one, DOWN) == ()


def test_statements_in_words() -> None:
    """Each with its line, its beginning without secrets, and what became of it."""
    text = "CREATE TABLE a (x int);\nALTER ROLE ada PASSWORD 'tr0ub4dor';"
    lines = report_statements(judge([[tried(candidate(text), A, "")]], snapshot(A)))

    assert [(one.line, one.state.value, one.trace) for one in lines] == [
        (1, "applied", True),
        (2, "unknown: leaves no trace", False),
    ]
    assert lines[1].sql == "ALTER ROLE ada PASSWORD '***'"
