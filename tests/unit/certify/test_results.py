"""How the results of single faults add up, and how they are shown."""

from __future__ import annotations

from pathlib import Path

from rung.certify.faults import FaultKind, InjectedFault, Run
from rung.certify.invariants import Invariant, Violation
from rung.certify.results import Certificate, Count, FaultResult, Finding, Question, add_up
from rung.render.certificate import certificate_lines, certificate_summary
from rung.render.terminal import Style

_GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
UP, DOWN = Run("m", "migrations", "up"), Run("m", "migrations", "down")
CUT, KILL = InjectedFault(UP, FaultKind.CUT_BEFORE, 3), InjectedFault(DOWN, FaultKind.KILL, 0.25)
WRONG = Violation(Invariant.LEDGER, "the ledger is clean at version 2, but something")
TRIALS = (
    FaultResult(CUT, injected=True),
    FaultResult(CUT, injected=True, dirty=True, violations=(WRONG,)),
    FaultResult(KILL, injected=True, dirty=True, undecided="Nothing is proposed."),
    FaultResult(KILL, injected=False),
)


def certificate() -> Certificate:
    """What those come to."""
    return Certificate(*add_up(TRIALS), seed=7, seconds=2.5, server="18.1")


def test_faults_are_counted_by_run_and_kind() -> None:
    """One that came too late is counted apart, and violations go with their fault."""
    counts, findings, questions = add_up(TRIALS)

    assert counts == {
        ("m", "up", FaultKind.CUT_BEFORE): Count(2, 0, 1, 0, 1),
        ("m", "down", FaultKind.KILL): Count(1, 1, 1, 1, 0),
    }
    assert (findings, questions) == (
        (Finding(CUT, WRONG),),
        (Question(KILL, "Nothing is proposed."),),
    )


def test_the_table_has_a_row_for_each_kind() -> None:
    """With a column for each run, sums, and each violation with what makes it again."""
    expected = (_GOLDEN / "certify.txt").read_text().splitlines()

    assert expected == certificate_lines(certificate(), Style())


def test_the_summary_counts() -> None:
    """Faults, seed and violations in a sentence."""
    assert certificate_summary(certificate()) == (
        "3 faults injected on PostgreSQL 18.1 in 2.5 s, seed 7: 1 violation; "
        "after 1 fault repair asks a person; "
        "1 came after the run."
    )


def test_nothing_made_is_a_table_of_nothing() -> None:
    """No fault is no fault of ours."""
    assert certificate_lines(Certificate(), Style())[-1].split() == ["all", "0", "0", "0", "0"]
