"""
What a script would take away, read from its SQL. Pure.

Only what stands plainly in the file is seen: DROP, ALTER TABLE … DROP COLUMN, TRUNCATE and
DELETE. What a cascade, a function or a rule takes along is not; the callers say so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rung.statements import StatementReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.statements import Script

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
    return tuple(loss for statement in left for loss in _of(StatementReader(script, statement)))


def _of(reader: StatementReader) -> Iterator[Loss]:
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


def _dropped(reader: StatementReader) -> Iterator[Loss]:
    for words, kind in _KINDS.items():
        if reader.take(*words):
            reader.take("IF", "EXISTS")
            yield from (Loss(kind, name) for name in reader.names())


def _dropped_columns(reader: StatementReader) -> Iterator[Loss]:
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
        more = reader.step_over_comma()
