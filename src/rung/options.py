"""
The options of a run: the defaults of `rung`, and each difference that `migrate` needs.

One engine serves both commands. Every difference between them is an option with a name, so the
engine never asks for which command it works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class RunOptions(NamedTuple):
    """The options of a run; the defaults are those of `rung`."""

    carries_session: bool = False
    """Whether a file's settings, role and temporary objects persist for the next file."""
    each_statement: bool = False
    """Whether each statement outside the file's own transactions commits by itself."""
    time_limit: float | None = None
    """Seconds for a file, or with `each_statement` for a statement; None for no limit."""
    passes_empty: bool = False
    """Whether a file without a statement is passed in either direction, with a warning."""
    runs_foreign_downs: bool = False
    """Whether a file with another tool's down marker runs whole, with a warning."""
    takes_tables: bool = False
    """Whether a database with tables and no ledger is migrated from the first version."""
    drops_current_schema: bool = False
    """Whether `drop` empties the current schema, wherever the ledger is, and not the ledger's."""
    wait_for_lock: float | None = None
    """Seconds to wait for another run's lock; None waits until it is free."""
    atomic: bool = False
    """Whether all steps of a run are one transaction."""
    lock_timeout: float | None = 0.2
    """Seconds that a statement of a file may wait in a lock queue; None for no limit."""
    insists_on_lock_timeout: bool = False
    """Whether that limit overrides one in the database's URL."""
    lock_retry_for: float | None = 600.0
    """Seconds of retrying after a lock timeout; None for ever."""
    retries_refused_locks: bool = True
    """Whether a lock timeout or NOWAIT of the file's own is retried as well."""
    cancel_blockers: tuple[str, ...] = ()
    """The applications whose queries may be cancelled when they block a migration."""


RUNG = RunOptions()


def application_names(names: Sequence[str]) -> tuple[str, ...]:
    """
    Check the applications whose queries may be cancelled.

    An empty name, as of an unset variable, would match every application without a name.

    Raises:
        UsageError: a name is empty, or they are not a list.
    """
    from rung.errors import UsageError

    if isinstance(names, str) or not all(name.strip() for name in names):
        raise UsageError(
            "invalid application name for --cancel-blockers: it is empty, or not in a list",
            "give the application_name of the lock holder",
        )
    return tuple(names)
