"""The command that records which versions are applied, by a person's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.cli.call import make_migrator, open_database
from rung.render import json as shapes
from rung.render.text import at

if TYPE_CHECKING:
    from rung.cli.call import Call
    from rung.runs import Marked


def mark_applied(call: Call) -> None:
    """Record versions as applied, and others as not; run nothing."""
    source, request = call.settings.need_source(), call.request
    with open_database(call) as database:
        migrator = make_migrator(call, database, source=source)
        found = migrator.mark_applied(request.versions, not_applied=request.not_applied)
    if call.console.json:
        call.json(shapes.marked(found))
    call.console.say(_sentence(found))


def _sentence(found: Marked) -> str:
    ways = ((found.applied, "applied"), (found.not_applied, "not applied"))
    said = [f"{', '.join(map(str, versions))} as {what}" for versions, what in ways if versions]
    if not said:
        return f"Nothing to record; the database is {at(found.version)}."
    moved = "" if found.version == found.before else f", and was {at(found.before)}"
    now = f"the database is {at(found.version)}{moved}"
    return f"Recorded {' and '.join(said)}; {now}. Nothing was run."
