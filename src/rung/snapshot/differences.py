"""How two snapshots differ: as values, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.snapshot.model import Snapshot


_LONGEST = 200
"""Characters of a text that a sentence shows."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not the same on both sides; None where a side has none of it."""

    identity: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> str:
        """What became of it: added, removed or changed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def differences(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    """
    What has to change for one snapshot to become the other, sorted by identity.

    Args:
        before: the one side.
        after: the other.
    """
    one, other = before.objects, after.objects
    return tuple(
        Difference(identity, one.get(identity), other.get(identity))
        for identity in sorted(one.keys() | other.keys())
        if one.get(identity) != other.get(identity)
    )


def in_words(found: Iterable[Difference], wanted: str, there: str) -> tuple[str, ...]:
    """
    Differences as sentences.

    Args:
        found: from what is wanted to what is there.
        wanted: how the side before is called, as in "the files".
        there: how the side after is called, as in "the database".
    """
    return tuple(_sentence(one, wanted, there) for one in found)


def _sentence(one: Difference, wanted: str, there: str) -> str:
    match one.kind:
        case "added":
            return f"{there} has {one.identity}, {wanted} has not"
        case "removed":
            return f"{there} has no {one.identity}, {wanted} has"
    before, after = _apart(one.before or "", one.after or "")
    return f"{one.identity} is {after} in {there}, {before} in {wanted}"


def _apart(before: str, after: str) -> tuple[str, str]:
    """The lines of each side that the other has not, on one line each."""
    ours, theirs = before.split("\n"), after.split("\n")
    return _joined(ours, theirs), _joined(theirs, ours)


def _joined(lines: list[str], others: list[str]) -> str:
    shown = "; ".join(line.strip() for line in lines if line not in others)
    if lines == [""]:
        return "plain"
    return repr(shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…")
