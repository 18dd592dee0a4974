"""
The rule for file names, which is golang-migrate's, and the names that come near to it.

`VERSION_TITLE.up.EXT` and `.down.EXT`: ASCII digits, case matters, leading zeros do not
count, the title and the extension may be empty and may hold dots. golang-migrate ignores
every other name in silence; here those that look intended are reported. `rung` reads only names
that end in `.sql`: the backup of an editor (`.sql~`) is not a migration.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rung.errors import VersionTooLarge
from rung.source.model import MAX_VERSION, Direction

_RULE = re.compile(r"([0-9]+)_(.*)\.(down|up)\.(.*)\Z")
_DIGITS = len(str(MAX_VERSION))
_NEAR = re.compile(r"\d+[_.\-].*\.sql\Z|.*\.(up|down)(\.[^.]*)?\Z", re.IGNORECASE | re.DOTALL)


class FileName(NamedTuple):
    """The parts of a migration file's name."""

    file: str
    version: int
    title: str
    direction: Direction


def parse(file: str) -> FileName | None:
    """
    Read a base name by the rule; None where it does not match.

    Raises:
        VersionTooLarge: the number is above 2^63-1.
    """
    match = _RULE.match(file)
    if match is None:
        return None
    digits, title, direction, _ = match.groups()
    if len(digits) > _DIGITS:
        digits = digits.lstrip("0") or "0"
        if len(digits) > _DIGITS:
            raise VersionTooLarge(file)
    version = int(digits)
    if version > MAX_VERSION:
        raise VersionTooLarge(file)
    return FileName(file, version, title, Direction.UP if direction == "up" else Direction.DOWN)


def is_near_miss(file: str) -> bool:
    """Whether a name that does not match the rule looks intended as a migration's."""
    return bool(_NEAR.match(file))


def ends_in_sql(file: str) -> bool:
    """Whether a name has the extension that `rung` reads."""
    return file.lower().endswith(".sql")
