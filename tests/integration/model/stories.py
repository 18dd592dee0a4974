"""Short stories that chance seldom tells whole, each about one rule."""

from __future__ import annotations

from tests.integration.model.commands import (
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
from tests.integration.model.texts import Pair, Text


def _write(version: int, up: str = "a", down: str = "a") -> Write:
    return Write(version, Pair(Text(f"{version} up {up}"), Text(f"{version} down {down}")))


_AT_5: tuple[Command, ...] = (_write(1), _write(5), Up())
_LATE_3: tuple[Command, ...] = (*_AT_5, _write(3))

STORIES: dict[str, tuple[Command, ...]] = {
    "down undoes the newest version first": (*_LATE_3, Up(None, (3,)), Down(), Down(), Down()),
    "down passes over what never ran": (*_LATE_3, Down(), Up()),
    "goto comes down to a late version": (*_LATE_3, Goto(3, (3,)), Up()),
    "goto goes down past a late one": (*_LATE_3, Goto(1), Up()),
    "the limit counts late ones": (*_LATE_3, _write(7), Up(1, (3,)), Up(1)),
    "late ones run oldest first": (*_LATE_3, _write(2), Up(1, (3, 2)), Up(None, (3,))),
    "force wants a file": (_write(1), Force(4), Force(4, blindly=True), Down(), Force(None), Up()),
    "an empty folder is refused": (Up(), _write(1), Up(), Remove(1), Up(0), Down(), Goto(1)),
    "a refused run records nothing": (*_LATE_3, _write(7), Other("up"), Up(), Up(0, (3,))),
    "an edited up stays one when its down is too": (*_AT_5, _write(1, "b", "b"), Down(), Up()),
    "a fixed down is stored": (*_AT_5, _write(1, "a", "b"), Down(), Remove(1), _write(9), Down()),
    "accepting takes both halves": (*_AT_5, _write(5, "b", "b"), AcceptEdit(5), Remove(5), Down()),
    "force holds the text": (_write(1), Force(1), _write(1, "b"), Up()),
    "force keeps the text that ran": (*_AT_5, _write(5, "b"), Force(5), Up()),
    "a baseline holds the text": (_write(1), Other("up"), Up(), _write(1, "b"), Up()),
    "a baseline keeps the text that ran": (*_AT_5, _write(1, "b"), Other("down", 1), Up(), Up()),
}
