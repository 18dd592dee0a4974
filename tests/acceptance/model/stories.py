"""Short stories that chance seldom tells whole, each about one rule."""

from __future__ import annotations

from tests.acceptance.model.commands import (
    AcceptEdit,
    Command,
    Down,
    Force,
    Goto,
    Other,
    Remove,
    Up,
    Write,
)
from tests.acceptance.model.texts import Pair, Text


def _write(version: int, up: str = "a", down: str = "a") -> Write:
    return Write(version, Pair(Text(f"{version} up {up}"), Text(f"{version} down {down}")))


_AT_5: tuple[Command, ...] = (_write(1), _write(5), Up())
_LATE_3: tuple[Command, ...] = (*_AT_5, _write(3))

STORIES: dict[str, tuple[Command, ...]] = {
    "down undoes the newest version first": (*_LATE_3, Up(None, (3,)), Down(), Down(), Down()),
    "down passes over what never ran": (*_LATE_3, Down(), Up()),
    "goto comes down to a late version": (*_LATE_3, Goto(3, (3,)), Up()),
    "goto goes down past a late one": (*_LATE_3, Goto(1), Up()),
    "an edited up stays one when its down is too": (*_AT_5, _write(1, "b", "b"), Down(), Up()),
    "a mended down is stored": (*_AT_5, _write(1, "a", "b"), Down(), Remove(1), _write(9), Down()),
    "accepting takes both halves": (*_AT_5, _write(5, "b", "b"), AcceptEdit(5), Remove(5), Down()),
    "force holds the text": (_write(1), Force(1), _write(1, "b"), Up()),
    "force keeps the text that ran": (*_AT_5, _write(5, "b"), Force(5), Up()),
    "a baseline holds the text": (_write(1), Other("up"), Up(), _write(1, "b"), Up()),
    "a baseline keeps the text that ran": (*_AT_5, _write(1, "b"), Other("down", 1), Up(), Up()),
}
