"""What a run needs of its connection before it may write: a primary, and a session if it must."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import (
    PooledConnection,
    ReadOnlyDatabase,
    RightsMissing,
    TableRefused,
    TablesUntrusted,
)
from rung.statements import needs_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.found import Look, OtherWriters, Place
    from rung.drivers.work import TablesReady
    from rung.runner import Prepared
    from rung.target import Target

_SHOWN = 3
"""How many ways are told of each table; `doctor` tells all."""


def check_writable(target: Target, place: Place) -> None:
    """
    Refuse a place where nothing can be written.

    Raises:
        ReadOnlyDatabase: a standby, or a session that takes no writes.
    """
    shown = target.driver.shown
    if place.read_only:
        raise ReadOnlyDatabase(
            f"{shown} takes no writes: it is a standby, a read-only session or a read-only file.",
            "Connect to the primary, with a role and settings that may write, or let us write the "
            "file.",
        )


def check_sharing(target: Target, place: Place, prepared: Sequence[Prepared]) -> None:
    """
    Refuse files that need one session for all of them, where a pooler gives none.

    Raises:
        PooledConnection: there is such a file.
    """
    if not place.pooled:
        return
    for item in prepared:
        if why := needs_session(item.script, place.loose):
            raise PooledConnection(
                f"{item.file} cannot run behind a pooler, as {target.driver.shown} is: {why}.",
                "Name the server itself for this run, past the pooler (often port 5432).",
            )


def others_warning(writers: OtherWriters) -> str:
    """Who else may write our tables, and what that means; empty where nobody may."""
    tables = {"ledger": writers.ledger, "history": writers.history, "lease": writers.lease}
    said = [f"the {table} ({'; '.join(ways[:_SHOWN])})" for table, ways in tables.items() if ways]
    if not said:
        return ""
    return (
        f"others may write {', '.join(said)}: what they write there passes for what was run, "
        "and SQL that the history keeps does not run without being shown. "
        "`rung doctor` prints what takes these rights away"
    )


def check_trusted(look: Look) -> None:
    """
    Refuse tables of ours that cannot be written without running what lesser roles wrote.

    Raises:
        TablesUntrusted: that is so, or rows of them are hidden.
    """
    if look.obstacles:
        raise TablesUntrusted(
            "; ".join(one.cause for one in look.obstacles), look.obstacles[0].advice
        )


def check_kept(ready: TablesReady) -> None:
    """
    Refuse to go on without a history, for what is kept in it alone.

    Raises:
        TableRefused: a rule of the database refuses the history.
    """
    if ready.no_history:
        raise TableRefused(f"this is kept in the history alone, and {ready.no_history}")


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
