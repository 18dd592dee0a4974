"""The command that makes files: create. Asks no database, loads no driver."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from rung.errors import UsageError
from rung.redaction import redacted_word
from rung.render import json_output as shapes
from rung.source import create_pair

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation


def create(call: Invocation) -> None:
    """Make a pair of files in the source folder and print their paths."""
    source = call.settings.need_source()
    if source.startswith("package:"):
        raise UsageError(
            f"create makes files in a folder, and {redacted_word(source)} is a package.",
            "Pass the folder of the package: --source DIR.",
        )
    now = datetime.now(timezone.utc) if call.settings.timestamp else None  # noqa: UP017
    up, down = create_pair(source, call.request.name, timestamp=now)
    if call.console.json:
        call.json(shapes.created(up, down))
        return
    call.console.data(f"{up}\n{down}")
