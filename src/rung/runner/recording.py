"""
Makes the history's record of a step: its checksums, and the texts that are not kept yet.

Pure, and apart from the preparation because it can be done while the server is busy with
the step before: a record refuses nothing.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rung.drivers.work import Attempt
from rung.errors import ScriptError
from rung.migrations import Direction
from rung.statements import checksum, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rung.ledger import HistoryEntry
    from rung.migrations import Half
    from rung.runner.preparation import Prepared

_Known = tuple[int | None, Direction, str]


@dataclass(frozen=True, slots=True)
class Recorder:
    """
    Knows what the history keeps already.

    `known` holds the version, direction and checksum of each half whose text is kept;
    `plain_backslashes` is False where the session reads a backslash in '…' as an escape.
    """

    known: frozenset[_Known] = frozenset()
    plain_backslashes: bool = True

    @classmethod
    def of(cls, history: Iterable[HistoryEntry], *, plain_backslashes: bool = True) -> Self:
        """A recorder for a database with this history."""
        halves = (
            (entry.version, direction, text)
            for entry in history
            for direction, text in (
                (Direction.UP, entry.up_checksum),
                (Direction.DOWN, entry.down_checksum),
            )
            if text
        )
        return cls(frozenset(halves), plain_backslashes)

    def attempt(self, item: Prepared) -> Attempt:
        """The record of an attempt that is about to be made."""
        up, up_sql = self._half(item, Direction.UP)
        down, down_sql = self._half(item, Direction.DOWN)
        return Attempt(
            id=str(uuid.uuid4()),
            version=item.step.version,
            name=item.step.title,
            direction=item.step.direction.value,
            up_checksum=up,
            down_checksum=down,
            up_sql=up_sql,
            down_sql=down_sql,
            statements_total=len(item.script.statements),
        )

    def _half(self, item: Prepared, direction: Direction) -> tuple[str | None, str | None]:
        """The checksum, and the text where it is not kept yet."""
        half = item.step.migration.half(direction)
        if half is None:
            return None, None
        total = self._checksum(item, half)
        kept = total is not None and (item.step.version, direction, total) in self.known
        return total, None if kept else half.text

    def _checksum(self, item: Prepared, half: Half) -> str | None:
        """None for a half that cannot be read and does not run: its fault stops nothing."""
        if half is item.step.half:
            return checksum(item.script)
        try:
            return checksum(read(half.text, standard_conforming_strings=self.plain_backslashes))
        except ScriptError:
            return None


class Attempts:
    """The records of a run's steps, in order, each made when it is needed or earlier."""

    def __init__(self, recorder: Recorder, items: Sequence[Prepared]) -> None:
        self._made = map(recorder.attempt, items)
        self._ahead: Attempt | None = None

    def take(self) -> Attempt:
        """The record of the next step."""
        ready, self._ahead = self._ahead, None
        return ready or next(self._made)

    def look_ahead(self) -> None:
        """Make the record of the step after the one that was taken last."""
        self._ahead = self._ahead or next(self._made, None)
