"""What a report of several verdicts comes to."""

from __future__ import annotations

import pytest

from rung.render.verify import github_lines, verify_summary
from rung.source import Migration, MigrationFile
from rung.verify.model import MigrationProof, ProofOutcome, VerifyReport

_FILES = MigrationFile("1_a.up.sql", "a", ""), MigrationFile("1_a.down.sql", "a", "")


def _report(*outcomes: ProofOutcome) -> VerifyReport:
    found = (MigrationProof(Migration(1, *_FILES), one, "50 %, or\nmore") for one in outcomes)
    return VerifyReport(tuple(found), len(outcomes), "PostgreSQL 15.18")


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ((), ProofOutcome.PROVED),
        ((ProofOutcome.PROVED, ProofOutcome.IRREVERSIBLE), ProofOutcome.PROVED),
        ((ProofOutcome.PROVED, ProofOutcome.NOT_PROVED), ProofOutcome.NOT_PROVED),
        ((ProofOutcome.NOT_PROVED, ProofOutcome.REFUTED), ProofOutcome.REFUTED),
    ],
)
def test_not_proved_never_hides_refuted(
    found: tuple[ProofOutcome, ...], outcome: ProofOutcome
) -> None:
    """The outcome of all is the worst one; refuted is worse than not proved."""
    assert _report(*found).outcome is outcome


def test_the_summary_counts_every_kind() -> None:
    """Kinds that did not occur are left out."""
    assert (
        verify_summary(_report(ProofOutcome.PROVED, ProofOutcome.REFUTED)) == "1 proved, 1 refuted."
    )
    assert verify_summary(_report()) == "nothing to verify."


def test_annotations_are_escaped() -> None:
    """A text of a file cannot end an annotation, nor begin another one."""
    (line,) = github_lines(_report(ProofOutcome.REFUTED, ProofOutcome.PROVED), "db:1,2")

    assert line == (
        "::error file=db%3A1%2C2/1_a.down.sql,title=rung verify%3A version 1::"
        "refuted: 50 %25, or%0Amore"
    )
