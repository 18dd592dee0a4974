"""What a snapshot is: each object's identity with its text, sorted, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

OWNERS = "owner of "
"""What the identity of an owner's entry begins with."""


@dataclass(frozen=True)
class Snapshot:
    """
    A database's schema: the text of each object by its identity, such as `table public.users`.

    An identity begins with the kind of the object. What is said of an object (its owner, the
    rights on it, a comment) is an entry of its own, and so is each column, constraint and
    index. The order of columns is no part of it: a column that was put back comes last.
    """

    objects: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[tuple[str, str]]) -> Self:
        """
        A snapshot of entries in any order.

        Args:
            entries: identity and text; of several with one identity the texts are joined.
        """
        found: dict[str, str] = {}
        for identity, text in sorted(entries):
            found[identity] = f"{found[identity]}\n{text}" if identity in found else text
        return cls(MappingProxyType(found))

    @cached_property
    def text(self) -> str:
        """Each object on a line, sorted; the second and later lines of a text are indented."""
        lines = (_line(identity, text) for identity, text in self.objects.items())
        return "".join(f"{line}\n" for line in lines)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the text, in hexadecimal digits: equal where all objects are."""
        return sha256(self.text.encode()).hexdigest()

    def only(self, identities: Collection[str]) -> Snapshot:
        """What there is of these identities."""
        return self._where(lambda identity: identity in identities)

    def without_owners(self) -> Snapshot:
        """The same where it is no matter whose the objects are."""
        return self._where(lambda identity: not identity.startswith(OWNERS))

    def _where(self, wanted: Callable[[str], bool]) -> Snapshot:
        found = {identity: text for identity, text in self.objects.items() if wanted(identity)}
        return Snapshot(MappingProxyType(found))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and self.objects == other.objects

    def __reduce__(self) -> tuple[type[Snapshot], tuple[dict[str, str]]]:
        """For `pickle`, which knows no mapping proxy."""
        return type(self), (dict(self.objects),)

    def __hash__(self) -> int:
        return hash(self.text)


def _line(identity: str, text: str) -> str:
    if not text:
        return identity
    return f"{identity}: " + "\n    ".join(text.split("\n"))
