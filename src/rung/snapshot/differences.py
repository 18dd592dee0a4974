"""Compare two snapshots, and describe the differences in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.snapshot.model import Snapshot


_LONGEST = 200
"""The most characters of a text that a sentence shows."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that differs between two snapshots; None where a snapshot does not have it."""

    identity: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> str:
        """Return what happened to the object: added, removed or changed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def differences(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    """
    Return the objects that differ, sorted by identity.

    Args:
        before: the first snapshot.
        after: the second snapshot.
    """
    old, new = before.objects, after.objects
    return tuple(
        Difference(identity, old.get(identity), new.get(identity))
        for identity in sorted(old.keys() | new.keys())
        if old.get(identity) != new.get(identity)
    )


def in_words(diff: Iterable[Difference], expected: str, actual: str) -> tuple[str, ...]:
    """
    Describe differences in sentences.

    Args:
        diff: from the expected snapshot to the actual one.
        expected: a name for the first snapshot, as in "the files".
        actual: a name for the second snapshot, as in "the database".
    """
    return tuple(_sentence(one, expected, actual) for one in diff)


def _sentence(one: Difference, expected: str, actual: str) -> str:
    match one.kind:
        case "added":
            return f"{actual} has {one.identity}, {expected} does not"
        case "removed":
            return f"{actual} does not have {one.identity}, {expected} does"
    before, after = (one.before or "").split("\n"), (one.after or "").split("\n")
    old, new = _changed_lines(before, after), _changed_lines(after, before)
    return f"{one.identity} is {new} in {actual}, {old} in {expected}"


def _changed_lines(lines: list[str], others: list[str]) -> str:
    """Return the lines that the other text does not have, on one line."""
    if lines == [""]:
        return "plain"
    changed = "; ".join(line.strip() for line in lines if line not in others)
    return repr(changed if len(changed) <= _LONGEST else changed[:_LONGEST] + "…")
