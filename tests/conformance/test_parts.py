"""The harness itself: what it passes over, what it notices, and how scenarios are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.conformance.cross import SETS
from tests.conformance.library import difference, scenarios
from tests.conformance.normalize import normal
from tests.conformance.reader import scenario, written_by_hand
from tests.conformance.recording import load
from tests.conformance.rules import Asked, better
from tests.conformance.runner import Seen
from tests.conformance.scenario import SCHEMES, Better, Outcome, Said, State
from tests.conformance.verdict import judge

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "differences-from-golang-migrate.md"
_ELSEWHERE = {
    *("sqlite-lock", "true-times", "dirty-while-building", "locks-are-given-back"),
    *("names-that-can-be-shown", "no-fifo-is-opened", "other-tools-downs-warned"),
    "downs-belong-to-ups",
}
"""Differences that no list of steps can show; each has tests of its own."""

_NOT_HERE = {
    41: "s40 under the scheme pgx5",
    59: "both tools at one time: with the tests of sharing a database",
    62: "both tools at one time",
    83: "MySQL, which has no driver here",
    86: "two processes at one time",
    91: "both tools in turn: with the tests of sharing a database",
}
"""Points of golang-migrate's behaviour that are no scenarios, and why."""


def _outcome(stderr: str = "", ledger: str = "nil", code: int = 0) -> Outcome:
    return Outcome(Said(code, stderr), State(ledger))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("1/u a (12.345678ms)\n", "1/u a (<time>)\n"),
        ("1/u a (1m0.5s)\n2/u b (-1ns)\n", "1/u a (<time>)\n2/u b (<time>)\n"),
        ("Key (id)=(1) already exists.", "Key (id)=(1) already exists."),
        ("Finished 1/u a (read 26.4µs, ran 1.2s)", "Finished 1/u a (read <time>, ran <time>)"),
        ("2026/01/02 03:04:05 Finished after 3ms", "<moment> Finished after <time>"),
        ("open /tmp/x/migrations/1_a.up.sql", "open {dir}/1_a.up.sql"),
        ("Source drivers: b, a\n", "Source drivers: <names>\n"),
        ("20260102030405_a.up.sql", "<stamp>_a.up.sql"),
        ("panic: no\n\ngoroutine 1 [running]:\nmain()\n", "panic: no\n\n<stack>"),
    ],
)
def test_chance_is_taken_out_of_words(said: str, expected: str) -> None:
    """Times, places and the order of a map are named; everything else stays."""
    names = {"/tmp/x": "{work}", "/tmp/x/migrations": "{dir}"}

    assert normal(said, names) == expected


def test_the_reader_ahead_is_put_apart() -> None:
    """Lines that race with others stand at the end, sorted."""
    said = "Start buffering 3/u b\nRead and execute 1/u a\nStart buffering 1/u a\n"

    assert normal(said, {}) == (
        "Read and execute 1/u a\n--- in any order:\nStart buffering 1/u a\nStart buffering 3/u b\n"
    )


@pytest.mark.parametrize(
    "ours",
    [_outcome("other"), _outcome("said", "(1,f)"), _outcome("said", code=1)],
    ids=["words", "ledger", "exit"],
)
def test_any_difference_is_a_fault(ours: Outcome) -> None:
    """Where nothing is listed, words, state and exit code must be equal."""
    equal = judge(_outcome("said"), Seen(State("nil"), _outcome("said")), None)
    different = judge(_outcome("said"), Seen(State("nil"), ours), None)

    assert (equal.faults, len(different.faults)) == ((), 1)


def test_a_listed_difference_must_show() -> None:
    """A difference that is stated and is not there is a fault."""
    same = Seen(State("nil"), _outcome("said"))

    assert judge(_outcome("said"), same, Better("some-name", stderr="said")).faults == (
        "the difference some-name does not show",
    )


def test_only_what_is_listed_may_differ() -> None:
    """A listed difference of the ledger excuses no other exit code."""
    ours = Seen(State("nil"), _outcome("said", "(1,f)", code=1))
    verdict = judge(_outcome("said", "(1,t)"), ours, Better("some-name", ledger="(1,f)"))

    assert [fault.partition(":")[0] for fault in verdict.faults] == ["exit"]


@pytest.mark.parametrize(
    ("command", "stderr", "row", "expected"),
    [
        ("up", "1/u m (1ms)\nerror: migration failed", "(2,t)", "(1,f)"),
        ("up", "error: migration failed", "(1,t)", "nil"),
        ("down 3", "3/d m (1ms)\nerror: migration failed", "(1,t)", "(2,f)"),
    ],
)
def test_where_a_failure_leaves_ours(command: str, stderr: str, row: str, expected: str) -> None:
    """A failed file leaves ours at the last step that golang-migrate finished."""
    start = "(3,f)" if command.startswith("down") else "nil"
    words = tuple(command.split())
    found = better(Asked(SETS["contiguous"], start, words, _outcome(stderr, row, 1)))

    assert found is not None
    assert (found.difference, found.ledger) == ("clean-after-failure", expected)


def test_no_rule_for_what_is_equal() -> None:
    """A plain up has no listed difference."""
    asked = Asked(SETS["gapped"], "nil", ("up",), _outcome("1/u m (1ms)", "(1,f)"))

    assert better(asked) is None


def test_a_misspelt_scenario_is_refused() -> None:
    """A key that nobody knows is no scenario."""
    with pytest.raises(ValueError, match=r"unknown in a scenario: .'tell'"):
        scenario({"id": "x", "tell": "y", "step": []}, {})


def test_every_point_is_there() -> None:
    """Each of the 91 points has a scenario, or a reason why it has none."""
    told = {int(m[1]) for each in written_by_hand() if (m := re.match(r"s(\d+)", each.id))}

    assert set(range(1, 92)) - told == set(_NOT_HERE)


@pytest.mark.skipif(not _PAGE.is_file(), reason="the page of differences is not here")
def test_the_page_lists_every_difference() -> None:
    """The differences of the scenarios are those of the page, none more and none less."""
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", _PAGE.read_text(), re.MULTILINE))

    assert used() == listed - _ELSEWHERE


def used() -> set[str]:
    """Collect the ids of the differences that scenarios name, for all schemes."""
    found = set()
    for scheme in SCHEMES:
        recording = load(scheme)
        for each in scenarios(scheme):
            for step, theirs in zip(each.steps, recording.of(each), strict=True):
                if meant := difference(each, step, theirs, scheme):
                    found.add(meant.difference)
    return found


def test_what_the_reader_says_without_a_line() -> None:
    """It comes before or behind the line of a file that was applied, and counts the same."""
    read = "error: read x/1_a.up.sql: is a directory"
    told = [f"{read}1/u a\n2/u b\n", f"1/u a\n{read}2/u b\n"]

    assert {normal(text, {}) for text in told} == {told[0]}
