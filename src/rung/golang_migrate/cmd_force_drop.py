"""The commands that run no migrations: version, force, drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.execution import admin
from rung.golang_migrate.faults import FAILED, GoFault
from rung.golang_migrate.gostd.integers import parse_int
from rung.golang_migrate.messages import not_found
from rung.ledger import NO_VERSION

if TYPE_CHECKING:
    from rung.golang_migrate.gostd.flags import Parsed
    from rung.golang_migrate.invocation import GoInvocation


def version(call: GoInvocation) -> int:
    """Print the ledger's version; reads only."""
    ledger = call.endpoints.target().inspect().ledger
    if ledger.version is None and not ledger.dirty:
        raise GoFault("no migration")
    call.console.line(f"{ledger.row} (dirty)" if ledger.dirty else f"{ledger.row}")
    return 0


def force(call: GoInvocation, parsed: Parsed) -> int:
    """Record a version; print a warning where it has no file."""
    if not parsed.words:
        raise call.refuse("please specify version argument V")
    wanted = parse_int(parsed.words[0])
    if wanted is None:
        raise call.refuse("can't read version argument V")
    if wanted < NO_VERSION:
        raise call.refuse("argument V must be >= -1")
    migrations = call.endpoints.migrations
    version = None if wanted == NO_VERSION else wanted
    admin.force(call.target(), migrations, version, warns=False, new_ledger=True)
    if wanted != NO_VERSION and wanted not in migrations.by_version:
        call.console.line(f"warning: {not_found(wanted)}")
    return 0


def drop(call: GoInvocation, parsed: Parsed) -> int:
    """Drop everything in the current schema after confirmation; report faults before it."""
    with call.target().on_one_connection() as target:
        with target.connected() as session:
            session.inspect()
        if not parsed.yes("f") and not call.confirm(
            "Are you sure you want to drop the entire database schema?",
            "Dropping the entire database schema",
            "Aborted dropping the entire database schema",
        ):
            return FAILED
        admin.drop(target, None)
    return 0
