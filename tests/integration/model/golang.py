"""
golang-migrate's own rules, as what it would write: it knows the files and the ledger alone.

Each step is what the ledger says before the body runs (dirty at the target) and the body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.integration.model.commands import Other
    from tests.integration.model.texts import Pair, Text


class Move(NamedTuple):
    """The ledger goes to `target`, None before the first; `text`, if there is one, runs."""

    target: int | None
    text: Text | None = None


def moves(
    command: Other, files: Mapping[int, Pair], ledger: int | None, *, dirty: bool
) -> tuple[Move, ...]:
    """What a command would do; nothing where golang-migrate gives an error or has no change."""
    if command.command == "force":
        return (Move(command.number),)
    if dirty or (ledger is not None and ledger not in files):
        return ()
    if command.command == "up":
        return tuple(_ups(files, ledger))[: command.number]
    if command.command == "down":
        return tuple(_downs(files, ledger))[: command.number]
    return tuple(_goto(command.number, files, ledger))


def _ups(files: Mapping[int, Pair], ledger: int | None) -> Iterator[Move]:
    for version in sorted(files):
        if ledger is None or version > ledger:
            yield Move(version, files[version].up)


def _downs(files: Mapping[int, Pair], ledger: int | None) -> Iterator[Move]:
    below = sorted(version for version in files if ledger is not None and version <= ledger)
    while below:
        version = below.pop()
        yield Move(below[-1] if below else None, files[version].down)


def _goto(target: int | None, files: Mapping[int, Pair], ledger: int | None) -> Iterator[Move]:
    if target is None or target not in files:
        return
    if ledger is None or target > ledger:
        yield from (move for move in _ups(files, ledger) if (move.target or 0) <= target)
    else:
        yield from (move for move in _downs(files, ledger) if (move.target or 0) >= target)
