"""
How files are run: `rung`'s own ways, and where golang-migrate's differ. A value, no more.

One engine serves both commands. What a command wants otherwise stands here by name, so that
nothing in the engine asks which command it works for.
"""

from __future__ import annotations

from typing import NamedTuple


class RunOptions(NamedTuple):
    """The ways of a run; the defaults are `rung`'s."""

    carries_session: bool = False
    """Whether a file's settings, role and temporary objects are there for the next file."""
    each_statement: bool = False
    """Whether each statement outside a transaction of the file's own commits by itself."""
    time_limit: float | None = None
    """Seconds for a file, or with `each_statement` for a statement; None for no limit."""
    passes_empty: bool = False
    """Whether what holds no statement is passed in either direction, with a warning."""
    runs_foreign_downs: bool = False
    """Whether a file with another tool's down marker runs whole, with a warning."""
    takes_tables: bool = False
    """Whether a database with tables and no ledger is migrated from the first version."""
    drops_current_schema: bool = False
    """Whether `drop` empties the current schema, wherever the ledger is, and not the ledger's."""
    atomic: bool = False
    """Whether all steps of a run are one transaction: all of them or none."""
    lock_timeout: float | None = 0.2
    """Seconds that a statement of a file may stand in a lock's queue; None for no limit."""
    insists_on_lock_timeout: bool = False
    """Whether that limit stands above one that the database's URL sets."""
    lock_retry_for: float | None = 600.0
    """Seconds for which what met that limit is tried again; None for ever."""
    retries_refused_locks: bool = True
    """Whether a lock that a file itself did not wait for, or only so long, is tried again too."""
    cancel_blockers: tuple[str, ...] = ()
    """The applications whose queries may be cancelled where they keep a lock from us."""


RUNG = RunOptions()
