"""The command certify without a server: its words, its streams and its codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.unit.certify.test_results import CUT, KILL, TRIALS, WRONG, certificate

import rung.certify
from rung.certify import Certificate
from rung.cli.arguments import parse, sort_words
from rung.cli.main import main
from rung.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def certified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run the command with a certification that finds what it is told to find."""

    def run(found: Certificate, *words: str) -> int:
        def certify(sources: object, faults: object, seed: object, **talk: object) -> Certificate:
            tell = talk["tell"]
            assert callable(tell)
            for number, trial in enumerate(TRIALS, 1):
                tell(trial, number, len(TRIALS))
            return found

        monkeypatch.setattr(rung.certify, "certify", certify)
        return main(["certify", "--source", str(tmp_path), *words])

    return run


def test_violations_have_a_code_of_their_own(
    certified: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """They are printed with what makes them again; the summary goes to stderr."""
    code = certified(certificate())
    out, err = capsys.readouterr()

    assert code == 9
    assert f"violation: {WRONG.invariant.value}: {WRONG.told}" in out
    assert err.splitlines()[-1].startswith("detail: 3 faults injected on PostgreSQL 18.1")
    assert "4 of 4 faults, 1 violation\n" in err


def test_no_violation_is_done(
    certified: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """What was left out is said, and is no failure."""
    code = certified(Certificate(left_out=("the disk was not filled: no",)), "--json")
    out, err = capsys.readouterr()

    assert code == 0
    assert json.loads(out)["violations"] == []
    assert "detail: the disk was not filled: no\n" in err


def test_quiet_says_nothing(
    certified: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Data alone are printed."""
    certified(certificate(), "-q")

    assert capsys.readouterr().err == ""


def test_its_numbers_are_read() -> None:
    """Faults and seed; without them certify chooses."""
    given = parse(sort_words(["certify", "--faults", "30", "--seed", "4"])).settings
    left_out = parse(sort_words(["certify"])).settings

    assert (given.faults, given.seed) == (30, 4)
    assert (left_out.faults, left_out.seed) == (None, None)
    with pytest.raises(UsageError, match='invalid number of faults: "many"'):
        parse(sort_words(["certify", "--faults", "many"]))


def test_points_are_shown_as_what_they_are() -> None:
    """A message by its number, an instant as a share of the run."""
    assert str(CUT).endswith("at message 3")
    assert str(KILL).endswith("at 0.2500 of it")
