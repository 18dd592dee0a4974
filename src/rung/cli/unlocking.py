"""The command that breaks a lease: unlock. It says whose it was, asks, and ends nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.cli.asking import confirm
from rung.cli.call import make_migrator, open_database
from rung.errors import LockNotAcquired
from rung.render import json as shapes
from rung.runs.unlocking import may_break

if TYPE_CHECKING:
    from rung.cli.call import Call
    from rung.drivers.found import LockHolder
    from rung.migrator import Migrator


def unlock(call: Call) -> None:
    """Break the lease of a run that is dead, once somebody agreed."""
    with open_database(call) as database:
        migrator = make_migrator(call, database)
        holder = migrator.lock_holder()
        gone = None if holder is None else _broken(call, migrator, holder)
    if call.console.json:
        call.json(shapes.unlocked(gone))
    call.console.say("Broke the lease; the lock is free." if gone else "Nobody holds the lock.")


def _broken(call: Call, migrator: Migrator, holder: LockHolder) -> LockHolder | None:
    even = call.request.even_if_alive
    if not may_break(holder, even_if_alive=even):
        raise LockNotAcquired(0.0, str(holder), "lease" if holder.lease else "lock")
    until = f"The lease expires: {holder.until}."
    confirm(call, f"Breaking the lease on {migrator.shown}", (str(holder), until))
    return migrator.unlock(expected=holder, even_if_alive=even)
