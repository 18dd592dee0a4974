"""Who holds the lock, and the end of a lease that nobody keeps any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import LockNotAcquired, PlanChanged

if TYPE_CHECKING:
    from rung.drivers.found import LockHolder
    from rung.target import Target


def lock_holder(target: Target) -> LockHolder | None:
    """Whose the lock is, dead or alive; None where it is free. Reads only."""
    with target.connected() as session:
        return session.occupant()


def unlock(
    target: Target, expected: LockHolder | None, *, even_if_alive: bool
) -> LockHolder | None:
    """
    Free the lease of a run behind a pooler; ends no process and no connection.

    Args:
        target: its lock.
        expected: refuse where it is another's by now than this one's, who was shown.
        even_if_alive: though its holder gave a sign of life not long ago.

    Returns:
        Whose it was; None where nobody held the lock.

    Raises:
        LockNotAcquired: its holder is alive, or holds it by its session or process.
        PlanChanged: it is another's by now.
    """
    with target.connected() as session:
        holder = session.occupant()
        if holder is None:
            return None
        if expected is not None and expected.lease != holder.lease:
            raise PlanChanged
        if not may_break(holder, even_if_alive=even_if_alive):
            raise LockNotAcquired(0.0, str(holder), "lease" if holder.lease else "lock")
        if not session.break_lease(holder):
            raise PlanChanged
        return holder


def may_break(holder: LockHolder, *, even_if_alive: bool) -> bool:
    """Whether a lock may be freed: a lease, of one that is not alive or in spite of that."""
    return bool(holder.lease) and (holder.stale or even_if_alive)
