"""A snapshot of a schema: each object's identity with its text, sorted."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

OWNERS = "owner of "
"""The prefix of the identity of an owner's entry."""


@dataclass(frozen=True)
class Snapshot:
    """
    A database's schema: the text of each object by its identity, such as `table public.users`.

    An identity begins with the kind of the object. An object's owner, privileges and comment are
    entries of their own, and so are its columns, constraints and indexes. The order of columns is
    left out, because a column that a down adds again comes last.
    """

    objects: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[tuple[str, str]]) -> Self:
        """
        Create a snapshot from entries in any order.

        Args:
            entries: identity and text; the texts of entries with the same identity are joined.
        """
        objects: dict[str, str] = {}
        for identity, text in sorted(entries):
            objects[identity] = f"{objects[identity]}\n{text}" if identity in objects else text
        return cls(MappingProxyType(objects))

    @cached_property
    def text(self) -> str:
        """Return each object on a line, sorted; further lines of a text are indented."""
        lines = (_line(identity, text) for identity, text in self.objects.items())
        return "".join(f"{line}\n" for line in lines)

    @cached_property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the text in hexadecimal digits."""
        return sha256(self.text.encode()).hexdigest()

    def only(self, identities: Collection[str]) -> Snapshot:
        """Return a snapshot of these identities only."""
        return self._where(lambda identity: identity in identities)

    def without_owners(self) -> Snapshot:
        """Return the snapshot without the owners of objects."""
        return self._where(lambda identity: not identity.startswith(OWNERS))

    def _where(self, is_wanted: Callable[[str], bool]) -> Snapshot:
        objects = {name: text for name, text in self.objects.items() if is_wanted(name)}
        return Snapshot(MappingProxyType(objects))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and self.objects == other.objects

    def __reduce__(self) -> tuple[type[Snapshot], tuple[dict[str, str]]]:
        """Support `pickle`, which cannot handle a mapping proxy."""
        return type(self), (dict(self.objects),)

    def __hash__(self) -> int:
        return hash(self.text)


def _line(identity: str, text: str) -> str:
    if not text:
        return identity
    return f"{identity}: " + "\n    ".join(text.split("\n"))
