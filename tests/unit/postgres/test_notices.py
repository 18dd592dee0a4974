"""Of very many notices the first are kept, warnings before the others, and the rest counted."""

from __future__ import annotations

from rung.drivers.postgres.message import Notices
from rung.drivers.transaction import ServerNotice


def raised(*notices: tuple[str, str]) -> list[ServerNotice]:
    """The notices that stay of these severities and SQLSTATEs."""
    kept = Notices()
    for number, (severity, state) in enumerate(notices):
        kept.add(severity, state, f"number {number}")
    return kept.shown()


def test_few_are_kept_in_their_order() -> None:
    """All of them, whatever they are."""
    found = raised(("NOTICE", "00000"), ("WARNING", "01000"), ("INFO", "00000"))

    assert [one.message for one in found] == ["number 0", "number 1", "number 2"]


def test_the_first_hundred_of_many() -> None:
    """And one line for the others."""
    found = raised(*[("NOTICE", "00000")] * 250)

    assert [one.message for one in found[:100]] == [f"number {number}" for number in range(100)]
    assert [one.message for one in found[100:]] == ["and 150 more notices, which are not kept"]


def test_warnings_come_before_the_others() -> None:
    """However late they come."""
    found = raised(*[("NOTICE", "00000")] * 200, *[("WARNING", "01000")] * 3)

    assert [one.severity for one in found[:4]] == ["WARNING"] * 3 + ["NOTICE"]
    assert found[-1].message == "and 103 more notices, which are not kept"


def test_a_warning_of_another_kind_is_never_lost() -> None:
    """The one for a BEGIN inside a transaction tells that the file was misread."""
    found = raised(*[("WARNING", "01000")] * 500, ("WARNING", "25001"))

    assert found[-2] == ServerNotice("WARNING", "25001", "number 500")
    assert found[-1].message == "and 400 more notices, which are not kept"


def test_memory_stays_bounded() -> None:
    """What is left out is not kept aside."""
    kept = Notices()
    for _ in range(10_000):
        kept.add("NOTICE", "00000", "x")

    assert len(kept.shown()) == len(kept._kept) + 1 == 101
