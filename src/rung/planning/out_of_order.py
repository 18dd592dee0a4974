"""Late migrations: which of them may run behind newer ones, and the error of the others. Pure."""

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
    """Whether a migration may run behind newer ones: allowed by version, or by its own file."""
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
    late: Sequence[Migration], ledger: LedgerState, applied: Applied, allowed: Sequence[int]
) -> OutOfOrderMigrations:
    """
    Give the error of late migrations that may not run.

    Args:
        late: them, ascending; at least one.
        ledger: as it stands.
        applied: what is applied.
        allowed: the late versions that may run.
    """
    lowest = late[0].version
    below = [v for v in applied.ascending if v < lowest]
    return OutOfOrderMigrations(
        [m.version for m in late],
        [half.file for m in late if (half := m.up or m.down)],
        ledger.version or 0,
        [v for v in applied.ascending if v > lowest],
        below[-1] if below else None,
        allowed,
        [m.version for m in late if m.version in applied.reopened],
    )
