"""`rung wait`, for init containers: wait for a server and for a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.cli.invocation import make_migrator, open_database
from rung.render import json_output as shapes
from rung.render.progress import progress
from rung.render.text import at

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation


def wait(call: Invocation) -> None:
    """Wait for the server and, if one was given, for a version."""
    request = call.request
    source = call.settings.need_source() if request.newest else ""
    with open_database(call) as database, progress(call.console) as listener:
        migrator = make_migrator(call, database, source=source, listener=listener)
        found = migrator.wait(
            "newest" if request.newest else request.version, call.settings.timeout
        )
    if call.console.json:
        call.json(shapes.waited(found))
    dirty = ", dirty" if found.dirty else ""
    call.console.state(f"{at(found.version)}{dirty}")
