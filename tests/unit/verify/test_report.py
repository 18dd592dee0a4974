"""What a report of several verdicts comes to."""

from __future__ import annotations

import pytest

from rung.errors import SourceLocation
from rung.render.terminal import Style
from rung.render.verify import github_lines, verification, verify_lines, verify_summary
from rung.snapshot import Snapshot
from rung.source import Migration, MigrationFile
from rung.verify.model import MigrationProof, ProofOutcome, SchemaChange, VerifyReport

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


def test_an_annotation_is_at_the_statement_that_failed() -> None:
    """Of an up that fails, it is in the up file, at its line."""
    place = SourceLocation("1_a.up.sql", 7)
    proof = MigrationProof(Migration(1, *_FILES), ProofOutcome.REFUTED, "the up fails", place=place)
    (line,) = github_lines(VerifyReport((proof,), 1, "PostgreSQL 15.18"), "db")

    assert line.startswith("::error file=db/1_a.up.sql,line=7,title=")


def test_annotations_are_escaped() -> None:
    """A text of a file cannot end an annotation, nor begin another one."""
    (line,) = github_lines(_report(ProofOutcome.REFUTED, ProofOutcome.PROVED), "db:1,2")

    assert line == (
        "::error file=db%3A1%2C2/1_a.down.sql,title=rung verify%3A version 1::"
        "refuted: 50 %25, or%0Amore"
    )


_CHANGES = {
    "short": ("int", "text", '"int" became "text"'),
    "what both begin with": (
        "a" * 500 + "old",
        "a" * 500 + "new",
        f'"… {"a" * 40}old" became "… {"a" * 40}new"',
    ),
    "the rest": (
        "int",
        "b" * 161,
        f'"int" became "{"b" * 160}" … and 1 more character',
    ),
    "an empty one": ("", "row security", 'plain became "row security"'),
    "the end": ("c" * 200, "c" * 201, f'"… {"c" * 40}" became "… {"c" * 41}"'),
}


@pytest.mark.parametrize(("before", "after", "shown"), _CHANGES.values(), ids=list(_CHANGES))
def test_long_definitions_are_cut_to_what_differs(before: str, after: str, shown: str) -> None:
    """The first difference is always in view, and what is left out is counted."""
    assert _lines({"view v": before}, {"view v": after}) == [f"~ view v: {shown}"]


def test_a_value_of_an_enum_that_is_left_has_no_fix() -> None:
    """No statement removes it, so the way out is to declare the migration irreversible."""
    added, changed = "'a', 'b'", "'a', 'c'"

    assert "irreversible REASON" in _lines({"enum e": "'a'"}, {"enum e": added})[1]
    assert len(_lines({"enum e": added}, {"enum e": changed})) == 1


def test_a_name_cannot_end_its_line() -> None:
    """Line ends in names are escaped, so that a name does not look like a finding."""
    assert _lines({}, {'table "a\n+ b"': ""}) == ['+ table "a\\n+ b"']


def _lines(before: dict[str, str], after: dict[str, str]) -> list[str]:
    change = SchemaChange.between(Snapshot.of(before.items()), Snapshot.of(after.items()))
    proof = MigrationProof(Migration(1, *_FILES), ProofOutcome.REFUTED, after_down=change)
    lines = verify_lines(VerifyReport((proof,), 1, "PostgreSQL 15.18"), Style())
    return [line.strip() for line in lines][2:]


_SECRETS = (
    "text default 'postgres://u:hunter2@h/db'::text",
    "text default 'password=hunter2'::text",
    "CREATE FUNCTION f() AS $f$ SELECT dblink('host=h user=u password=hunter2') $f$",
    "CREATE FUNCTION f() AS $f$ CREATE ROLE joe PASSWORD 'hunter2' $f$",
)


@pytest.mark.parametrize("definition", _SECRETS)
def test_no_definition_shows_a_password(definition: str) -> None:
    """Neither as text, nor as an annotation, nor as JSON, on either side of a change."""
    one, other = Snapshot.of([("column t.a", definition)]), Snapshot.of([("column t.a", "text")])
    nothing = Snapshot.of([])
    for before, after in ((one, other), (other, one), (nothing, one), (one, nothing)):
        change = SchemaChange.between(before, after)
        proof = MigrationProof(
            Migration(1, *_FILES), ProofOutcome.REFUTED, after_down=change, after_again=change
        )
        report = VerifyReport((proof,), 1, "PostgreSQL 15.18")
        shown = [
            *verify_lines(report, Style()),
            *github_lines(report, ""),
            verification(report, 10),
        ]
        assert "hunter2" not in str(shown)
