"""The interface of every kind of scratch databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rung.drivers.contract import Session


class Scratch(Protocol):
    """Disposable databases; each has a name."""

    @property
    def where(self) -> str:
        """Return what they run on, for display: `PostgreSQL 16.4`."""

    def new(self) -> str:
        """Create an empty database."""

    def copy(self, name: str) -> str:
        """Create a copy of a database to which nobody is connected."""

    def open(self, name: str) -> AbstractContextManager[Session]:
        """Connect to a database for a `with` block."""
