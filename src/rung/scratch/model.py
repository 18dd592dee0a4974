"""What every kind of scratch can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rung.drivers.contract import Session


class Scratch(Protocol):
    """Databases that are thrown away; each has a name."""

    @property
    def where(self) -> str:
        """What they are on, for people: `PostgreSQL 16.4`."""

    def new(self) -> str:
        """Make an empty one."""

    def copy(self, name: str) -> str:
        """Make one that is as another is now; nobody may be connected to that one."""

    def open(self, name: str) -> AbstractContextManager[Session]:
        """Connect to one, for a block."""
