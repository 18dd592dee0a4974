"""The interface of every kind of scratch databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from rung.cancellation import CancelToken
    from rung.drivers.contract import Driver, Session


class Scratch(Protocol):
    """Disposable databases; each has a name."""

    @property
    def where(self) -> str:
        """Return what they run on, for display: `PostgreSQL 16.4`."""

    @property
    def rights(self) -> str:
        """Return whose rights the files have, for display; empty where the target's role's."""

    @property
    def absent_extensions(self) -> Sequence[str]:
        """Return the target's extensions that the first database lacks; empty before it is made."""

    def new(self) -> str:
        """Create an empty database."""

    def copy(self, name: str) -> str:
        """Create a copy of a database to which nobody is connected."""

    def open(self, name: str) -> AbstractContextManager[Session]:
        """Connect to a database for a `with` block."""

    def driver_of(self, name: str) -> Driver:
        """Return the driver for a database, to run migrations there as on any other."""

    def limited(
        self, name: str, seconds: float, megabytes: int, cancel: CancelToken
    ) -> AbstractContextManager[Limit]:
        """
        End what runs on a database in a `with` block when it has used more than it may.

        Args:
            name: of the database.
            seconds: of the block.
            megabytes: of the database on disk.
            cancel: of what runs, for databases that nobody can end from outside.
        """

    def drop(self, name: str) -> None:
        """Drop a database before the block ends; nobody is connected to it."""

    def start_over(self) -> bool:
        """
        Drop every database, and what their files left on the server, such as roles.

        Returns:
            False where that cannot be told apart from what others have there.
        """


class Limit(Protocol):
    """What a block on a scratch database may use."""

    @property
    def reason(self) -> str:
        """Return what the block did beyond the limit, as "ran for longer than 5 s"; else empty."""
