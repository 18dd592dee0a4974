"""What is done to a folder and its database, as values; the real side and the model obey both."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.integration.model.texts import Pair


class Write(NamedTuple):
    """Write a version's files, new or over the old ones."""

    version: int
    pair: Pair


class Remove(NamedTuple):
    """Remove a version's files."""

    version: int


class Up(NamedTuple):
    """`rung up`."""

    limit: int | None = None
    allow_out_of_order: tuple[int, ...] = ()
    ahead_is_ok: bool = False


class Down(NamedTuple):
    """`rung down`; None is all the way."""

    limit: int | None = 1


class Goto(NamedTuple):
    """`rung goto`."""

    version: int
    allow_out_of_order: tuple[int, ...] = ()


class Force(NamedTuple):
    """`rung force`; with `blindly` also to a version without a file."""

    version: int | None
    blindly: bool = False


class AcceptEdit(NamedTuple):
    """`rung accept-edit`."""

    version: int


class Other(NamedTuple):
    """golang-migrate: `up`, `down`, `goto` or `force` with a number; None is without one."""

    command: str
    number: int | None = None


class DropHistory(NamedTuple):
    """Somebody drops the history's table."""


Goal = Up | Down | Goto
Command = Goal | Write | Remove | Force | AcceptEdit | Other | DropHistory
