"""
The migrations of a source, as values. The reader makes them; nothing here opens a file.

A version is an integer from 0 to 2^63-1. "No version", the state before the first
migration, is None; golang-migrate writes it as -1 where it has to write it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import NamedTuple

MAX_VERSION = 2**63 - 1


class Direction(Enum):
    """Whether a file applies its migration or reverts it."""

    UP = "up"
    DOWN = "down"


class MigrationFile(NamedTuple):
    """
    One file of a migration: its base name, its title, and its text without a BOM.

    `byte_order_mark` tells whether there was one.
    """

    file: str
    title: str
    text: str
    byte_order_mark: bool = False


class Migration(NamedTuple):
    """One version with its up file and its down file; one of them may be missing."""

    version: int
    up: MigrationFile | None = None
    down: MigrationFile | None = None

    @property
    def name(self) -> str:
        """The title of the up file, or of the down file where there is no up file."""
        file = self.up or self.down
        return file.title if file else ""

    def half(self, direction: Direction) -> MigrationFile | None:
        """The file that runs in that direction; None where it is missing."""
        return self.up if direction is Direction.UP else self.down


@dataclass(frozen=True)
class MigrationSet:
    """
    All migrations of a source, ascending by version.

    `source` is the name that people see. `warnings` are sentences about files that look like
    migrations and are ignored.
    """

    source: str
    migrations: tuple[Migration, ...] = ()
    warnings: tuple[str, ...] = ()

    @cached_property
    def versions(self) -> tuple[int, ...]:
        """All versions, ascending."""
        return tuple(migration.version for migration in self.migrations)

    @property
    def newest_up(self) -> int | None:
        """The version at which `up` ends: the highest that has an up file."""
        return max((one.version for one in self.migrations if one.up is not None), default=None)

    @cached_property
    def by_version(self) -> dict[int, Migration]:
        """Each migration under its version."""
        return {migration.version: migration for migration in self.migrations}
