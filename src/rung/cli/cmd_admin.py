"""The commands that run no migration but write: force, mark-applied, accept-edit, unlock, drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.cli.confirm import confirm
from rung.cli.invocation import make_migrator, open_database
from rung.ledger import LedgerState
from rung.render import json_output as shapes
from rung.render.tables import drop_lines, edit_lines
from rung.render.text import at, count

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation
    from rung.drivers.inspection import LockHolder
    from rung.errors import EditedFile
    from rung.script.data_loss import DataLoss


def force(call: Invocation) -> None:
    """Record that the database is at a version; run nothing."""
    version, settings = call.request.version, call.settings
    needs = version is not None and not settings.allow_missing_file
    source = call.settings.need_source() if needs else call.settings.source or ""
    with open_database(call) as database:
        make_migrator(call, database, source=source).force(
            version,
            allow_missing_file=settings.allow_missing_file,
            new_ledger=settings.new_ledger,
        )
    if call.console.json:
        call.json(shapes.version(LedgerState(version)))
    call.console.state(f"{at(version)}, as recorded; nothing was run")


def accept_edit(call: Invocation) -> None:
    """Accept an edit once it is confirmed; run nothing."""
    source, version = call.settings.need_source(), call.request.version or 0
    with open_database(call) as database:
        migrator = make_migrator(call, database, source=source)

        def agree(edits: tuple[EditedFile, ...]) -> None:
            what = f"Accept the edit of version {version} on {migrator.shown}"
            confirm(call, what, edit_lines(edits, call.console.err_style))

        edits = migrator.accept_edit(version, confirm=agree)
    if call.console.json:
        call.json(shapes.accepted(version, edits))
    call.console.state(f"accepted the edit of version {version}; nothing was run")


def drop(call: Invocation) -> None:
    """Drop every object in the ledger's schema once it is confirmed."""
    with open_database(call) as database:
        migrator = make_migrator(call, database)

        def agree(losses: tuple[DataLoss, ...]) -> None:
            confirm(call, f"Drop everything on {migrator.shown}", drop_lines(losses))

        gone = migrator.drop(confirm=agree)
    if call.console.json:
        call.json({"dropped": shapes.losses(gone)})
    call.console.state(f"dropped {count(len(gone), 'object')}" if gone else "nothing to drop")


def mark_applied(call: Invocation) -> None:
    """Record versions as applied, and others as not; run nothing."""
    source, settings = call.settings.need_source(), call.settings
    with open_database(call) as database:
        migrator = make_migrator(call, database, source=source)
        found = migrator.mark_applied(call.request.versions, not_applied=settings.not_applied)
    if call.console.json:
        call.json(shapes.marked(found))
    ways = ((found.applied, "applied"), (found.not_applied, "not applied"))
    said = [f"{', '.join(map(str, versions))} as {what}" for versions, what in ways if versions]
    moved = "" if found.version == found.before else f", was {at(found.before)}"
    done = f"recorded {' and '.join(said)}; nothing was run" if said else "nothing to record"
    call.console.state(f"{at(found.version)}{moved}; {done}")


def unlock(call: Invocation) -> None:
    """Break the lease of a dead run once it is confirmed."""
    with open_database(call) as database:
        migrator = make_migrator(call, database)

        def agree(holder: LockHolder) -> None:
            until = f"The lease expires: {holder.until}."
            confirm(call, f"Break the lease on {migrator.shown}", (str(holder), until))

        gone = migrator.unlock(confirm=agree, allow_live_holder=call.settings.allow_live_holder)
    if call.console.json:
        call.json(shapes.unlocked(gone))
    call.console.detail("Broke the lease; the lock is free." if gone else "The lock is free.")
