"""
What a script would take away, read from its SQL. Pure.

Only what stands plainly in the file is seen: DROP, ALTER TABLE … DROP COLUMN, TRUNCATE and
DELETE. What a cascade, a function or a rule takes along is not; the callers say so.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.statements import Script, Statement

_KINDS = {
    ("TABLE",): "table",
    ("MATERIALIZED", "VIEW"): "materialized view",
    ("FOREIGN", "TABLE"): "foreign table",
    ("SCHEMA",): "schema",
    ("SEQUENCE",): "sequence",
    ("DATABASE",): "database",
}
_ROWS = "rows of table"


@dataclass(frozen=True, slots=True)
class Loss:
    """
    One thing that would be gone.

    `table` is its name as the file writes it, `column` a column of it, `rows` the planner's
    estimate of the rows in it: None where that is not known (never analysed, no table).
    """

    kind: str
    table: str
    column: str = ""
    rows: int | None = None

    def estimated(self, rows: int | None) -> Loss:
        """The same loss with its estimate; a negative one is no estimate."""
        return replace(self, rows=rows if rows is not None and rows >= 0 else None)

    def __str__(self) -> str:
        column = f"column {self.column} of " if self.column else f"{self.kind} "
        what = column + self.table
        return what if self.rows is None else f"{what} (about {self.rows} rows)"


def losses(script: Script, done: int = 0) -> tuple[Loss, ...]:
    """What the statements of a script behind the first `done` say they take away, in order."""
    left = script.statements[done:]
    return tuple(loss for statement in left for loss in _of(_Reader(script, statement)))


class _Reader:
    """The tokens of one statement, read from the left."""

    def __init__(self, script: Script, statement: Statement) -> None:
        first, last = (
            bisect_left(script.tokens, place, key=attrgetter("start"))
            for place in (statement.start, statement.end)
        )
        self._left = [script.text[t.start : t.end] for t in script.tokens[first:last]]

    def take(self, *words: str) -> bool:
        """Step over these key words where they come next."""
        found = tuple(token.upper() for token in self._left[: len(words)]) == words
        if found:
            del self._left[: len(words)]
        return found

    def name(self) -> str:
        """Step over a name, qualified or not; empty where none comes next."""
        parts = self._left[:1]
        del self._left[:1]
        while self._left[:1] == ["."]:
            parts += self._left[:2]
            del self._left[:2]
        return "".join(parts)

    def names(self) -> Iterator[str]:
        """Step over a list of names, each perhaps after ONLY."""
        more = bool(self._left)
        while more:
            self.take("ONLY")
            yield self.name()
            self.take("*")
            more = self.take(",")

    def next_action(self) -> bool:
        """Step behind the next comma that stands in no brackets."""
        depth = 0
        while self._left:
            part = self._left.pop(0)
            depth += (part == "(") - (part == ")")
            if part == "," and depth == 0:
                return True
        return False


def _of(reader: _Reader) -> Iterator[Loss]:
    if reader.take("DROP"):
        yield from _dropped(reader)
    elif reader.take("TRUNCATE"):
        reader.take("TABLE")
        yield from (Loss(_ROWS, name) for name in reader.names())
    elif reader.take("DELETE", "FROM"):
        reader.take("ONLY")
        yield Loss(_ROWS, reader.name())
    elif reader.take("ALTER", "TABLE"):
        yield from _dropped_columns(reader)


def _dropped(reader: _Reader) -> Iterator[Loss]:
    for words, kind in _KINDS.items():
        if reader.take(*words):
            reader.take("IF", "EXISTS")
            yield from (Loss(kind, name) for name in reader.names())


def _dropped_columns(reader: _Reader) -> Iterator[Loss]:
    reader.take("IF", "EXISTS")
    reader.take("ONLY")
    table = reader.name()
    reader.take("*")
    more = True
    while more:
        if reader.take("DROP") and not reader.take("CONSTRAINT"):
            reader.take("COLUMN")
            reader.take("IF", "EXISTS")
            yield Loss("column", table, reader.name())
        more = reader.next_action()
