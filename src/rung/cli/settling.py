"""The commands that settle a database without a plan: force, accept-edit and drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.cli.asking import confirm
from rung.cli.call import make_migrator, open_database
from rung.ledger import LedgerState
from rung.render import json as shapes
from rung.render.text import at, count
from rung.render.views import drop_lines, edit_lines

if TYPE_CHECKING:
    from rung.cli.call import Call


def force(call: Call) -> None:
    """Record a version; run nothing."""
    request = call.request
    needs = request.version is not None and not request.even_without_file
    source = call.settings.need_source() if needs else call.settings.source or ""
    with open_database(call) as database:
        make_migrator(call, database, source=source).force(
            request.version,
            even_without_file=request.even_without_file,
            new_ledger=request.new_ledger,
        )
    if call.console.json:
        call.json(shapes.version(LedgerState(request.version)))
    call.console.say(f"Recorded that the database is {at(request.version)}; nothing was run.")


def accept_edit(call: Call) -> None:
    """Record that an edit is meant, once somebody agreed; run nothing."""
    source, version = call.settings.need_source(), call.request.version or 0
    with open_database(call) as database:
        migrator = make_migrator(call, database, source=source)
        edits = migrator.edited(version)
        what = f"Accepting the edit of version {version} on {migrator.shown}"
        confirm(call, what, edit_lines(edits, call.console.err_style))
        migrator.accept_edit(version, expected=edits)
    if call.console.json:
        call.json(shapes.accepted(version, edits))
    call.console.say(f"Recorded the edit of version {version}; nothing was run.")


def drop(call: Call) -> None:
    """Remove everything in the ledger's schema, once somebody agreed."""
    with open_database(call) as database:
        migrator = make_migrator(call, database)
        losses = migrator.everything()
        if losses:
            confirm(call, f"Dropping everything on {migrator.shown}", drop_lines(losses))
        gone = migrator.drop(expected=losses)
    if call.console.json:
        call.json({"dropped": shapes.losses(gone)})
    call.console.say(f"Dropped {count(len(gone), 'object')}." if gone else "Nothing to drop.")
