"""What a run needs of its connection before it may write: a primary, and no pooler between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import PooledConnection, ReadOnlyDatabase, RightsMissing

if TYPE_CHECKING:
    from rung.drivers.found import Look, Place
    from rung.target import Target


def check_writable(target: Target, place: Place) -> None:
    """
    Refuse a place where nothing can be written under a lock.

    Raises:
        ReadOnlyDatabase: a standby, or a session that takes no writes.
        PooledConnection: a pooler gives each transaction another server connection.
    """
    shown = target.driver.shown
    if place.read_only:
        raise ReadOnlyDatabase(
            f"{shown} takes no writes: it is a standby, a read-only session or a read-only file.",
            "Connect to the primary, with a role and settings that may write, or let us write the "
            "file.",
        )
    if place.pooled:
        raise PooledConnection(
            f"{shown} is behind a transaction pooler: a lock taken there would be no lock.",
            "Name the server itself for migrations, past the pooler (often port 5432); "
            "reading works through it: rung status, version, plan, check.",
        )


def check_recordable(look: Look) -> None:
    """
    Refuse a database whose history cannot be written, for what is kept in it alone.

    Raises:
        RightsMissing: that is so.
    """
    if look.missing_grant:
        raise RightsMissing(
            "The history cannot be written with our rights, and this is kept in it alone.",
            f"Grant it: {look.missing_grant}",
        )
