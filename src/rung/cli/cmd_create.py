"""`rung create`: make the files of a migration. Uses no database and loads no driver."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from rung.cli.values import quoted
from rung.errors import UsageError
from rung.render import json_output as shapes
from rung.source import create_pair

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation


def create(call: Invocation) -> None:
    """Make a pair of files in the source folder and print their paths."""
    source = call.settings.need_source()
    if source.startswith("package:"):
        raise UsageError(
            f"cannot create files in a package: {quoted(source)}",
            "pass the folder of the package: --source DIR",
        )
    now = datetime.now(timezone.utc) if call.settings.timestamp else None  # noqa: UP017
    up, down = create_pair(source, call.request.name, timestamp=now)
    if call.console.json:
        call.json(shapes.created(up, down))
        return
    call.console.data(f"{up}\n{down}")
