"""version, force and drop say what golang-migrate says, and a little more where it is a trap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.ledger import LedgerState

if TYPE_CHECKING:
    from tests.unit.golang_migrate.conftest import Stage

QUESTION = "Are you sure you want to drop the entire database schema? [y/N]"


@pytest.mark.parametrize(
    ("ledger", "code", "said"),
    [
        (LedgerState(), 1, "error: no migration"),
        (LedgerState(-1), 1, "error: no migration"),
        (LedgerState(0), 0, "0"),
        (LedgerState(3), 0, "3"),
        (LedgerState(3, dirty=True), 0, "3 (dirty)"),
        (LedgerState(-1, dirty=True), 0, "-1 (dirty)"),
    ],
)
def test_version(stage: Stage, ledger: LedgerState, code: int, said: str) -> None:
    """The ledger's row, on stderr; no lock is taken and nothing is made."""
    stage.session.ledger = ledger

    assert (code, said) == (stage.run("version", "-help")[0], stage.run("version")[1][-1])
    assert set(stage.session.calls) == {"look"}


@pytest.mark.parametrize("words", [["3"], ["+3"], ["--", "3"], ["3", "x"]])
def test_force(stage: Stage, words: list[str]) -> None:
    """It records a version, whatever the ledger holds, and says nothing."""
    stage.session.ledger = LedgerState(4, dirty=True)

    assert stage.run("force", *words) == (0, [])
    assert stage.session.ledger == LedgerState(3)


@pytest.mark.parametrize("words", [["-1"], ["--", "-1"]])
def test_force_to_none(stage: Stage, words: list[str]) -> None:
    """A negative number is no flag here."""
    stage.session.ledger = LedgerState(1, dirty=True)

    assert stage.run("force", *words) == (0, [])
    assert stage.session.ledger == LedgerState()


def test_force_without_a_file(stage: Stage) -> None:
    """It is done, and the absence of the file is told."""
    code, said = stage.run("force", "7")

    assert (code, stage.session.ledger) == (0, LedgerState(7))
    assert said[0].startswith("warning: no migration found for version 7")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "please specify version argument V"),
        (["0x3"], "can't read version argument V"),
        ([str(2**63)], "can't read version argument V"),
        (["-2"], "argument V must be >= -1"),
        (["--", "-2"], "argument V must be >= -1"),
    ],
)
def test_force_refused(stage: Stage, words: list[str], said: str) -> None:
    """The ledger stays."""
    assert stage.run("force", *words) == (1, [f"error: {said}"])
    assert set(stage.session.calls) == {"look"}


@pytest.mark.parametrize(
    ("words", "answer", "code", "said"),
    [
        (["-f"], "", 0, []),
        ([], "y\n", 0, [QUESTION, "Dropping the entire database schema"]),
        ([], "n\n", 1, [QUESTION, "Aborted dropping the entire database schema"]),
        (["x", "-f"], "", 1, [QUESTION, "Aborted dropping the entire database schema"]),
    ],
)
def test_drop(stage: Stage, words: list[str], answer: str, code: int, said: list[str]) -> None:
    """It asks unless -f stands before every other word."""
    assert stage.run("drop", *words, stdin=answer) == (code, said)
    assert ("drop" in stage.session.calls) == (code == 0)


def test_drop_opens_before_it_asks(stage: Stage) -> None:
    """A database that is not there is told before the question."""
    code, said = stage.bare("-path", str(stage.folder), "drop", stdin="y")

    assert (code, said) == (
        1,
        ["error: failed to parse scheme from database URL: URL cannot be empty"],
    )


def test_verbose_ends(stage: Stage) -> None:
    """With what golang-migrate says at the end of a success, and of that alone."""
    assert stage.run("-verbose", "version")[1] == ["error: no migration"]
    assert stage.run("-verbose", "force", "1")[1] == [
        "Finished after <d>",
        "Closing source and database",
    ]
    assert stage.run("-verbose", "version")[1] == ["1", "Closing source and database"]
