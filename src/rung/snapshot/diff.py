"""
Compare two snapshots: the objects that differ, as a tree, and in sentences.

Column order is compared by the columns that both sides have: a table that has one more column is
not also in another order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.snapshot.model import Aspect, aspect_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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

    @property
    def aspect(self) -> Aspect:
        """Return what differs of the object."""
        return aspect_of(self.identity)


@dataclass(frozen=True, slots=True)
class DiffNode:
    """A difference with those of the objects that were added or removed with it."""

    difference: Difference
    children: tuple[DiffNode, ...] = ()
    parent: str | None = None
    """The identity of the object that it belongs to, and that is on both sides."""


def differences(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    """
    Return the objects that differ, sorted by identity.

    Args:
        before: the first snapshot.
        after: the second snapshot, of a server of the same major version.
    """
    old, new = before.objects, after.objects
    return tuple(
        Difference(identity, old.get(identity), new.get(identity))
        for identity in sorted(old.keys() | new.keys())
        if old.get(identity) != new.get(identity) and not _is_same_order(identity, old, new)
    )


def _is_same_order(identity: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    if aspect_of(identity) is not Aspect.ORDER or identity not in old or identity not in new:
        return False
    one, other = old[identity].split(", "), new[identity].split(", ")
    shared = set(one) & set(other)
    return [name for name in one if name in shared] == [name for name in other if name in shared]


def diff_tree(before: Snapshot, after: Snapshot) -> tuple[DiffNode, ...]:
    """
    Return the differences with those of a removed or added object's parts below it.

    So a table that is gone is one node, with its columns, indexes and privileges below.

    Args:
        before: the first snapshot.
        after: the second snapshot, of a server of the same major version.
    """
    found = {one.identity: one for one in differences(before, after)}
    parents = {**after.parents, **before.parents}
    below: dict[str | None, list[Difference]] = {}
    for one in found.values():
        parent = found.get(parents.get(one.identity, ""))
        goes_along = parent is not None and parent.kind == one.kind != "changed"
        below.setdefault(parent.identity if parent and goes_along else None, []).append(one)

    def node(one: Difference) -> DiffNode:
        children = tuple(node(child) for child in below.get(one.identity, ()))
        return DiffNode(one, children, parents.get(one.identity))

    return tuple(node(one) for one in below.get(None, ()))


def possible_renames(before: Snapshot, after: Snapshot) -> tuple[tuple[str, str], ...]:
    """
    Return pairs of a removed and an added object that are equal in everything but their name.

    Two snapshots cannot tell a rename from a drop and a create, so these are only possible ones.
    A pair is left out where one of the two would fit into another pair as well.

    Returns:
        Identities: the removed object's and the added one's.
    """
    tree = diff_tree(before, after)
    shapes: dict[object, tuple[list[str], list[str]]] = {}
    for at, kind, snapshot in ((0, "removed", before), (1, "added", after)):
        parts: dict[str, list[str]] = {}
        for identity, parent in snapshot.parents.items():
            parts.setdefault(parent, []).append(identity)
        for identity in (one.difference.identity for one in tree if one.difference.kind == kind):
            shape = _shape(identity, snapshot, parts)
            shapes.setdefault(shape, ([], []))[at].append(identity)
    return tuple(
        (gone[0], new[0])
        for gone, new in shapes.values()
        if len(gone) == 1 and len(new) == 1  # more than one could be either
    )


def _shape(
    identity: str, snapshot: Snapshot, parts: Mapping[str, Sequence[str]]
) -> tuple[object, ...]:
    """Return an object and all that belongs to it, with a placeholder for its name."""
    kind, name = _kind_and_name(identity)
    members = [identity]
    for one in members:  # grows while it is read: parts of parts
        members.extend(parts.get(one, ()))
    whole = re.compile(rf'(?<![\w."]){re.escape(name)}(?![\w"])')
    entries = sorted(
        (whole.sub("\0", one), whole.sub("\0", snapshot.objects[one])) for one in members
    )
    return kind, snapshot.parents.get(identity), *entries


def _kind_and_name(identity: str) -> tuple[str, str]:
    """Split `materialized view public.v`; the words of a kind are lower-case letters."""
    words = identity.split(" ")
    at = next((at for at, word in enumerate(words) if not word.islower() or "." in word), 1)
    return " ".join(words[:at]), " ".join(words[at:]).partition(" on ")[0]


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
