"""Out-of-order migrations: which of them may run, and the error of the others. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import OutOfOrderMigrations, ScriptError
from rung.script import ALLOW_OUT_OF_ORDER, Dialect, directives, read

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rung.ledger import LedgerState
    from rung.planning.history_replay import Applied
    from rung.source import Migration


def allows_out_of_order(
    migration: Migration, dialect: Dialect, allowed: Collection[int] = ()
) -> bool:
    """Whether a migration may run after newer ones: by its version, or by its own file."""
    if migration.version in allowed:
        return True
    text = migration.up.text if migration.up else ""
    if ALLOW_OUT_OF_ORDER not in text:
        return False
    try:
        return ALLOW_OUT_OF_ORDER in directives(read(text, dialect))
    except ScriptError:
        return False


def out_of_order_error(
    refused: Sequence[Migration], ledger: LedgerState, applied: Applied, allowed: Sequence[int]
) -> OutOfOrderMigrations:
    """
    Make the error of out-of-order migrations that are not allowed.

    Args:
        refused: them, ascending; at least one.
        ledger: its row now.
        applied: what is applied.
        allowed: the out-of-order versions that are allowed.
    """
    lowest = refused[0].version
    below = [v for v in applied.ascending if v < lowest]
    return OutOfOrderMigrations(
        [m.version for m in refused],
        [half.file for m in refused if (half := m.up or m.down)],
        ledger.version or 0,
        [v for v in applied.ascending if v > lowest],
        below[-1] if below else None,
        allowed,
        [m.version for m in refused if m.version in applied.reopened],
    )
