"""What Go 1.26's own functions gave for these inputs, recorded: `recorded/NAME.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def recorded(name: str) -> list[list[Any]]:
    """The rows of a recording: the inputs, then what Go made of them."""
    rows = json.loads((Path(__file__).parent / "recorded" / f"{name}.json").read_text())
    assert len(rows) > 20
    return [list(row) for row in rows]
