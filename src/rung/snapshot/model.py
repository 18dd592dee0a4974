"""A snapshot of a schema: each object's identity with its definition, sorted."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping


class Aspect(StrEnum):
    """What an entry of a snapshot says about its object."""

    STRUCTURE = "structure"
    ORDER = "column order"
    OWNER = "owner"
    PRIVILEGES = "privileges"
    COMMENT = "comment"
    DATABASE = "database"
    """What is set for the whole database, and not for an object of a schema."""


_PREFIXES = {
    "column order of ": Aspect.ORDER,
    "owner of ": Aspect.OWNER,
    "privileges on ": Aspect.PRIVILEGES,
    "comment on ": Aspect.COMMENT,
    "database": Aspect.DATABASE,
}
"""By the beginning of an identity, which is the kind of the object in all other entries."""


def aspect_of(identity: str) -> Aspect:
    """Return what the entry of this identity says about its object."""
    for prefix, aspect in _PREFIXES.items():
        if identity.startswith(prefix):
            rest = identity.removeprefix(prefix)
            is_of_database = aspect is not Aspect.DATABASE and rest == "database"
            return Aspect.DATABASE if is_of_database else aspect
    return Aspect.STRUCTURE


class SchemaObject(NamedTuple):
    """One entry of a snapshot."""

    identity: str
    """The kind of the object and its qualified name, such as `table public.users`."""
    definition: str
    parent: str | None = None
    """The identity of the object that it belongs to and is dropped with."""


@dataclass(frozen=True)
class Snapshot:
    """
    A database's schema: the definition of each object by its identity.

    An object's owner, privileges and comment are entries of their own, and so are its columns,
    their order, its constraints and its indexes.
    """

    objects: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    """By identity: the object that it belongs to; objects that belong to none are missing."""
    server: str = ""
    """The engine and its major version; definitions are comparable only where it is the same."""

    @classmethod
    def of(cls, entries: Iterable[SchemaObject | tuple[str, str]], server: str = "") -> Self:
        """
        Create a snapshot from entries in any order.

        Args:
            entries: definitions of entries with the same identity are joined.
            server: the engine and its major version: `PostgreSQL 15`.
        """
        objects: dict[str, str] = {}
        parents: dict[str, str] = {}
        for identity, definition, parent in sorted(
            (SchemaObject(*entry) for entry in entries), key=lambda entry: entry[:2]
        ):
            known = objects.get(identity)
            objects[identity] = definition if known is None else f"{known}\n{definition}"
            if parent is not None:
                parents[identity] = parent
        return cls(MappingProxyType(objects), MappingProxyType(parents), server)

    @cached_property
    def text(self) -> str:
        """Return each object on a line, sorted; further lines of a definition are indented."""
        lines = (_line(identity, text) for identity, text in self.objects.items())
        return "".join(f"{line}\n" for line in lines)

    @cached_property
    def fingerprint(self) -> str:
        """
        Return the server's major version and the SHA-256 of the text in hexadecimal digits.

        Two major versions write some definitions differently, so fingerprints of two servers are
        equal only where these have the same major version.
        """
        digest = sha256(self.text.encode()).hexdigest()
        return f"{self.server.lower().replace(' ', '-')}:{digest}" if self.server else digest

    def only(self, identities: Collection[str]) -> Snapshot:
        """Return a snapshot of these identities only."""
        return self._where(lambda identity: identity in identities)

    def without(self, *aspects: Aspect) -> Snapshot:
        """Return the snapshot without what it says about these aspects."""
        return self._where(lambda identity: aspect_of(identity) not in aspects)

    def _where(self, is_wanted: Callable[[str], bool]) -> Snapshot:
        objects = {name: text for name, text in self.objects.items() if is_wanted(name)}
        parents = {name: parent for name, parent in self.parents.items() if name in objects}
        return Snapshot(MappingProxyType(objects), MappingProxyType(parents), self.server)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Snapshot)
            and self.objects == other.objects
            and self.server == other.server
        )

    def __reduce__(self) -> tuple[type[Snapshot], tuple[dict[str, str], dict[str, str], str]]:
        """Support `pickle`, which cannot handle a mapping proxy."""
        return type(self), (dict(self.objects), dict(self.parents), self.server)

    def __hash__(self) -> int:
        return hash(self.text)


@dataclass(frozen=True, slots=True)
class Stamp:
    """
    What tells that the schema of one database has not changed between two reads.

    Two equal stamps of one database, read by one process, mean equal snapshots. Two that differ
    mean nothing. It says nothing about another database, nor about a restored one, so it cannot be
    stored.
    """

    rows: tuple[tuple[str | None, ...], ...]

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError("a stamp is of this process alone")


def _line(identity: str, text: str) -> str:
    if not text:
        return identity
    return f"{identity}: " + "\n    ".join(text.split("\n"))
