"""
What a script would take away, read from its SQL. Pure.

Only what stands plainly in the file is seen: DROP, ALTER TABLE … DROP COLUMN, TRUNCATE, DELETE,
UPDATE, MERGE and REPLACE, within WITH too; not what a function or a trigger does. What a cascade
takes along is added by the driver, as far as its catalog tells. What cannot be counted is said to
be that, and never counts as nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rung.script import StatementReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.script import Script, Statement
    from rung.snapshot import Snapshot

MOST_ROWS = 100_000
"""Rows are counted up to this many."""
_KINDS = {
    ("TABLE",): "table",
    ("MATERIALIZED", "VIEW"): "materialized view",
    ("FOREIGN", "TABLE"): "foreign table",
    ("SCHEMA",): "schema",
    ("SEQUENCE",): "sequence",
    ("DATABASE",): "database",
}
ROWS_OF = "rows of table"
VALUES_IN = "values in table"
CHANGES_BY = "changes by"
"""Of code that is not read: a DO block, or a procedure."""
_SOME = "the statement selects them"
_REPLACING = (("MERGE", "INTO"), ("REPLACE", "INTO"), ("INSERT", "OR", "REPLACE", "INTO"))


@dataclass(frozen=True, slots=True)
class DataLoss:
    """
    One thing that would be gone.

    `table` is its name as the file writes it, or for what the catalog adds its qualified name;
    `column` is a column of it. `rows` is the exact number of rows in it, of a column the number
    that hold a value, up to `MOST_ROWS`; None where it has no rows, or they were not counted.
    """

    kind: str
    table: str
    column: str = ""
    rows: int | None = None
    is_minimum: bool = False
    """Whether there are more than `rows`."""
    unknown_reason: str = ""
    """Why the rows could not be counted, in a few words; empty where there is no such reason."""
    cascade: bool = False
    """Whether the statement takes along what depends on it."""

    @property
    def takes_rows(self) -> bool:
        """Whether rows are lost, or nobody could tell."""
        return bool(self.rows or self.is_minimum or self.unknown_reason)

    def counted(self, rows: int) -> DataLoss:
        """The same loss with its rows; a count above `MOST_ROWS` is one of more."""
        return replace(
            self, rows=min(rows, MOST_ROWS), is_minimum=rows > MOST_ROWS, unknown_reason=""
        )

    def uncounted(self, reason: str) -> DataLoss:
        """The same loss whose rows nobody knows."""
        return replace(self, rows=None, is_minimum=False, unknown_reason=reason)

    def __str__(self) -> str:
        column = f"column {self.column} of " if self.column else f"{self.kind} "
        return column + self.table + self._rows()

    def _rows(self) -> str:
        if self.unknown_reason:
            return f" (rows unknown: {self.unknown_reason})"
        if self.rows is None:
            return ""
        if self.is_minimum:
            return f" (more than {self.rows:,} rows)"
        return f" ({self.rows:,} {'row' if self.rows == 1 else 'rows'})"


@dataclass(frozen=True, slots=True)
class Gone:
    """A relation, or a column of one that stays, that a dry run took away."""

    kind: str
    """`table`, `view`, `materialized view`, `foreign table`, `sequence`, `index` or `column`."""
    name: str
    """The relation's, qualified and quoted."""
    column: str = ""
    since: bool = False
    """Whether all that the catalog says of it was written since the ledger was marked dirty."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f".{self.column}" if self.column else "")


@dataclass(frozen=True, slots=True)
class DryRun:
    """What SQL did in a transaction that was rolled back."""

    reason: str = ""
    """Why it was not sent, or did not come to its end; empty where it did."""
    before: Snapshot | None = None
    after: Snapshot | None = None
    gone: tuple[Gone, ...] = ()


def find_data_loss(script: Script, done: int = 0) -> tuple[DataLoss, ...]:
    """Return what the statements of a script after the first `done` delete, in order."""
    left = script.statements[done:]
    return tuple(loss for statement in left for loss in data_loss_of(script, statement))


def data_loss_of(script: Script, statement: Statement) -> tuple[DataLoss, ...]:
    """What one statement of a script says it takes away."""
    return tuple(_of(StatementReader(script, statement)))


def tables_named(script: Script) -> tuple[str, ...]:
    """The tables that a script drops or alters, as it writes them."""
    found: dict[str, None] = {}
    for statement in script.statements:
        reader = StatementReader(script, statement)
        if reader.take("DROP", "TABLE") or reader.take("DROP", "MATERIALIZED", "VIEW"):
            reader.take("IF", "EXISTS")
            found |= dict.fromkeys(reader.names())
        elif reader.take("ALTER", "TABLE"):
            reader.take("IF", "EXISTS")
            reader.take("ONLY")
            found |= dict.fromkeys([reader.name()])
    return tuple(found)


def _of(reader: StatementReader) -> Iterator[DataLoss]:
    cascade = reader.holds("CASCADE")
    if reader.take("DROP"):
        yield from (replace(loss, cascade=cascade) for loss in _dropped(reader))
    elif reader.take("TRUNCATE"):
        reader.take("TABLE")
        yield from (DataLoss(ROWS_OF, name, cascade=cascade) for name in reader.names())
    elif reader.take("ALTER", "TABLE"):
        yield from (replace(loss, cascade=cascade) for loss in _dropped_columns(reader))
    else:
        yield from _changed(reader)


def _changed(reader: StatementReader) -> Iterator[DataLoss]:
    """Rows that a statement deletes or overwrites; all of them where it names no condition."""
    chooses = reader.holds("WHERE") or reader.holds("USING") or reader.holds("LIMIT")
    if reader.take("DO"):
        yield DataLoss(CHANGES_BY, "DO").uncounted("its code was not read")
    elif reader.take("CALL"):
        yield DataLoss(CHANGES_BY, f"CALL {reader.name()}").uncounted("its code was not read")
    elif reader.take("WITH") or reader.take("EXPLAIN"):
        while reader.step_behind("(", ")", "ANALYZE", "VERBOSE"):
            yield from _overwritten(reader, chooses=True)
    else:
        yield from _overwritten(reader, chooses=chooses)


def _overwritten(reader: StatementReader, *, chooses: bool) -> Iterator[DataLoss]:
    if reader.take("DELETE", "FROM"):
        reader.take("ONLY")
        loss = DataLoss(ROWS_OF, reader.name())
        yield loss.uncounted(_SOME) if chooses else loss
    elif reader.take("UPDATE"):
        if reader.take("OR"):
            reader.name()
        reader.take("ONLY")
        yield DataLoss(VALUES_IN, reader.name()).uncounted(_SOME)
    elif any(reader.take(*words) for words in _REPLACING):
        yield DataLoss(VALUES_IN, reader.name()).uncounted(_SOME)
    elif reader.take("INSERT", "INTO"):
        name = reader.name()
        if reader.holds("DO", "UPDATE"):
            yield DataLoss(VALUES_IN, name).uncounted(_SOME)


def _dropped(reader: StatementReader) -> Iterator[DataLoss]:
    for words, kind in _KINDS.items():
        if reader.take(*words):
            reader.take("IF", "EXISTS")
            yield from (DataLoss(kind, name) for name in reader.names())


def _dropped_columns(reader: StatementReader) -> Iterator[DataLoss]:
    reader.take("IF", "EXISTS")
    reader.take("ONLY")
    table = reader.name()
    reader.take("*")
    more = True
    while more:
        if reader.take("DROP") and not reader.take("CONSTRAINT"):
            reader.take("COLUMN")
            reader.take("IF", "EXISTS")
            yield DataLoss("column", table, reader.name())
        more = reader.step_over_comma()
