"""up, down and goto say what golang-migrate says of the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.ledger import LedgerState

if TYPE_CHECKING:
    from tests.unit.golang_migrate.conftest import Stage

NOT_FOUND = (
    "error: no migration found for version {0}: read down for version {0} .: file does not exist"
)
END = ["Finished after <d>", "Closing source and database"]
CASES = {
    "up": (None, ["up"], 0, ["1/u a (<d>)", "3/u b (<d>)", "4/u c (<d>)"], 4),
    "up N": (None, ["up", "2"], 0, ["1/u a (<d>)", "3/u b (<d>)"], 3),
    "up at the end": (4, ["up"], 0, ["no change"], 4),
    "up N at the end": (4, ["up", "1"], 1, ["error: file does not exist"], 4),
    "up too far": (3, ["up", "2"], 1, ["4/u c (<d>)", "error: limit 1 short"], 4),
    "up 0": (1, ["up", "0"], 0, ["no change"], 1),
    "up x": (None, ["up", "x"], 1, ["error: can't read limit argument N"], None),
    "up -0": (None, ["up", "+1"], 1, ["error: can't read limit argument N"], None),
    "down N": (4, ["down", "1"], 0, ["4/d c (<d>)"], 3),
    "down at none": (None, ["down", "1"], 1, ["error: file does not exist"], None),
    "down all at none": (None, ["down", "-all"], 0, ["no change"], None),
    "down too far": (1, ["down", "4"], 1, ["1/d a (<d>)", "error: limit 3 short"], None),
    "down 0": (4, ["down", "0"], 0, ["no change"], 4),
    "down all": (3, ["down", "-all"], 0, ["3/d b (<d>)", "1/d a (<d>)"], None),
    "down all N": (
        *(4, ["down", "-all", "2"], 1),
        *(["error: -all cannot be used with other arguments"], 4),
    ),
    "down N N": (4, ["down", "1", "2"], 1, ["error: too many arguments"], 4),
    "goto up": (None, ["goto", "03"], 0, ["1/u a (<d>)", "3/u b (<d>)"], 3),
    "goto down": (4, ["goto", "1"], 0, ["4/d c (<d>)", "3/d b (<d>)"], 1),
    "goto here": (3, ["goto", "3", "x"], 0, ["no change"], 3),
    "goto": (3, ["goto"], 1, ["error: please specify version argument V"], 3),
    "goto x": (3, ["goto", "x"], 1, ["error: can't read version argument V"], 3),
    "goto far": (3, ["goto", str(2**63)], 1, ["error: can't read version argument V"], 3),
    "down far": (3, ["down", str(2**63)], 1, ["error: can't read limit argument N"], 3),
}


@pytest.mark.parametrize(("at", "words", "code", "said", "after"), CASES.values(), ids=CASES)
def test_a_command(
    stage: Stage, at: int | None, words: list[str], code: int, said: list[str], after: int | None
) -> None:
    """The lines, the exit code, and where the ledger is then."""
    stage.session.ledger = LedgerState(at)

    assert stage.run(*words) == (code, said)
    assert stage.session.ledger == LedgerState(after)


@pytest.mark.parametrize(("at", "words"), [(2, ["up"]), (99, ["goto", "1"]), (None, ["goto", "2"])])
def test_a_version_without_a_file(stage: Stage, at: int | None, words: list[str]) -> None:
    """It is named once, in golang-migrate's words, and what there is below."""
    stage.session.ledger = LedgerState(at)
    code, said = stage.run(*words)

    assert (code, said[0]) == (1, NOT_FOUND.format(2 if at is None else at))
    assert said[1].startswith("detail: The source has 3 migrations")


@pytest.mark.parametrize(
    ("words", "missing"), [(["up"], 3), (["down", "1"], 3), (["goto", "1"], 3)]
)
def test_an_empty_folder_and_a_ledger(stage: Stage, words: list[str], missing: int) -> None:
    """The ledger's version has no file."""
    _empty(stage)
    stage.session.ledger = LedgerState(3)

    assert stage.run(*words)[1][0] == NOT_FOUND.format(3)


def test_an_empty_folder(stage: Stage) -> None:
    """Nothing to go up with, no version to go to, and nothing to go down from."""
    _empty(stage)

    assert stage.run("up") == (1, ["error: first .: file does not exist"])
    assert stage.run("goto", "1")[1] == [NOT_FOUND.format(1)]
    assert stage.run("down", "-all") == (0, ["no change"])


@pytest.mark.parametrize("words", [["up"], ["down", "1"], ["goto", "3"], ["up", "1"]])
def test_a_dirty_ledger(stage: Stage, words: list[str]) -> None:
    """golang-migrate's line, and what the history knows below it."""
    stage.session.ledger = LedgerState(-1, dirty=True)
    code, said = stage.run(*words)

    assert (code, said[0]) == (1, "error: Dirty database version -1. Fix and force version.")
    assert "`rung force V --database" in " ".join(said)


@pytest.mark.parametrize(
    ("answer", "code", "ended"),
    [
        ("y", 0, "Applying all down migrations"),
        ("  Y  \n", 0, "Applying all down migrations"),
        ("y n\n", 0, "Applying all down migrations"),
        ("yes\n", 1, "Not applying all down migrations"),
        ("", 1, "Not applying all down migrations"),
    ],
)
def test_the_question_of_down(stage: Stage, answer: str, code: int, ended: str) -> None:
    """One word is read, and only y is a yes."""
    stage.session.ledger = LedgerState(1)
    found, said = stage.run("down", stdin=answer)

    assert (found, said[0]) == (
        code,
        "Are you sure you want to apply all down migrations? [y/N]",
    )
    assert said[1] == ended
    assert stage.session.ledger == LedgerState(1 if code else None)


def test_a_half_without_a_file(stage: Stage) -> None:
    """It moves the ledger, and has no name."""
    (stage.folder / "3_b.up.sql").unlink()

    code, (warned, *lines) = stage.run("up", "2")

    assert (code, lines) == (0, ["1/u a (<d>)", "3/u <empty> (<d>)"])
    assert warned.startswith("warning: 1 up without a statement: 3;")


def test_the_verbose_lines(stage: Stage) -> None:
    """What is read ahead, what is run, and the end."""
    (stage.folder / "3_b.up.sql").unlink()

    assert stage.run("-verbose", "up", "2")[1][1:] == [
        "Start buffering 1/u a",
        "Scheduled 3/u <empty>",
        "Read and execute 1/u a",
        "Finished 1/u a (read <d>, ran <d>)",
        "Finished 3/u <empty> (read <d>, ran <d>)",
        *END,
    ]
    assert stage.run("-verbose", "-prefetch", "0", "goto", "4")[1] == [
        "Scheduled 4/u c",
        "Read and execute 4/u c",
        "Finished 4/u c (read <d>, ran <d>)",
        *END,
    ]


def test_a_near_miss_is_named(stage: Stage) -> None:
    """A file that looks meant is not passed over in silence."""
    (stage.folder / "5_d.sql").touch()
    code, said = stage.run("goto", "1")

    assert (code, said[1]) == (0, "1/u a (<d>)")
    assert said[0].startswith("warning: 5_d.sql is ignored")


def test_a_late_file_stops_the_run(stage: Stage) -> None:
    """Once the history knows that it was never applied."""
    stage.run("up")
    (stage.folder / "2_late.up.sql").touch()
    code, said = stage.run("up")

    assert (code, said[0]) == (1, "error: out-of-order migration was never applied: 2_late.up.sql")
    assert stage.run("down", "1") == (0, ["4/d c (<d>)"])


def test_an_edited_file_stops_the_run(stage: Stage) -> None:
    """With its diff, though golang-migrate would not look."""
    stage.run("up")
    (stage.folder / "1_a.up.sql").write_text("select 3;")
    code, said = stage.run("up")

    assert (code, said[0]) == (1, "error: edited after it was applied: 1_a.up.sql")


def _empty(stage: Stage) -> None:
    for file in stage.folder.iterdir():
        file.unlink()
