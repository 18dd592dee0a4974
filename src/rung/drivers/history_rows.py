"""
From a row of the history to a `Attempt`; what cannot be one is an error with its place.

Anybody may have written the table, and an older column may have lost its NOT NULL: a value
that is missing, of another type, out of range or not a word of ours names its row and its column.
In a row that a newer Rung wrote, an outcome that is not known here stays a value of its own. Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from rung._version import __version__
from rung.errors import LedgerUnreadable
from rung.ledger import (
    DIRECTIONS,
    MAY_LACK_VERSION,
    NO_VERSION,
    Attempt,
    LedgerState,
    Outcome,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COLUMNS: Final = (
    *("id", "attempt", "version", "name", "direction", "outcome", "statements_total"),
    *("statements_done", "in_flight", "started", "finished", "error", "up_checksum"),
    *("down_checksum", "checksum_formula", "up_digest", "down_digest", "tool", "tool_version"),
    *("database_user", "host"),
)
"""In the order of `look_history`."""
_MAY_BE_NULL: Final = frozenset(
    {"version", "in_flight", "finished", "error", "up_checksum", "down_checksum"}
    | {"checksum_formula", "up_digest", "down_digest"}
)
_NUMBERS: Final = frozenset(
    {"id", "version", "statements_total", "statements_done", "in_flight", "checksum_formula"}
)
_MOMENTS: Final = frozenset({"started", "finished"})
_UNREADABLE: Final = (ValueError, TypeError, OverflowError, OSError)
_OUTCOMES: Final[dict[object, Outcome]] = {one.value: one for one in Outcome}
_HIGHEST = 2**63 - 1
_SHOWN = 60


def entry(row: Sequence[object], table: str, moment: Callable[[Any], datetime]) -> Attempt:
    """
    Read one row of the history, with its values in the order of `COLUMNS`.

    Args:
        row: as the database gave it.
        table: the history's name, for the error.
        moment: reads a point in time as this database gives it.

    Raises:
        LedgerUnreadable: a value cannot be; with its row and column.
    """
    try:
        read = Attempt(*(read(value) for read, value in zip(_readers(moment), row, strict=True)))
    except _UNREADABLE:
        raise _first_unreadable(row, table, moment) from None
    wrong = None if _is_newer(read.tool_version) else _wrong_word(read)
    if wrong is not None:
        raise _out_of_range(table, row[0], wrong, row[COLUMNS.index(wrong)])
    return read


def _wrong_word(read: Attempt) -> str | None:
    """The column whose value no Rung up to this one writes; None where each may be."""
    if read.outcome is Outcome.UNKNOWN:
        return "outcome"
    if read.direction not in DIRECTIONS:
        return "direction"
    lacks_version = read.version is None and read.direction not in MAY_LACK_VERSION
    return "version" if lacks_version else None


@lru_cache(maxsize=32)
def _is_newer(tool_version: str) -> bool:
    """Whether a newer Rung than this one wrote a row."""
    theirs, ours = (
        [int(digits) for digits in re.findall(r"[0-9]{1,9}", text)[:3]]
        for text in (tool_version, __version__)
    )
    return theirs > ours


@cache
def _readers(moment: Callable[[Any], datetime]) -> tuple[Callable[[Any], Any], ...]:
    """Give what reads the value of each column; it raises one of `_UNREADABLE`."""

    def instant(value: object) -> datetime:
        return moment(value).astimezone(UTC)

    def reader(column: str) -> Callable[[Any], Any]:
        if column == "outcome":
            return lambda value: outcome(_text(value))
        read = _number if column in _NUMBERS else instant if column in _MOMENTS else _text
        if column not in _MAY_BE_NULL:
            return read
        return lambda value: None if value is None else read(value)

    return tuple(map(reader, COLUMNS))


def _first_unreadable(
    row: Sequence[object], table: str, moment: Callable[[Any], datetime]
) -> LedgerUnreadable:
    for column, value, read in zip(COLUMNS, row, _readers(moment), strict=True):
        try:
            read(value)
        except _UNREADABLE:
            return _out_of_range(table, row[0], column, value)
    raise AssertionError(row)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def ledger_state(version: object, dirty: object, table: str) -> LedgerState:
    """
    The ledger's one row.

    Args:
        version: as the database gave it.
        dirty: True or False; None where that is no truth value.
        table: the ledger's name, for the error.

    Raises:
        LedgerUnreadable: it is not a version.
    """
    try:
        number = NO_VERSION if str(version) == str(NO_VERSION) else _number(version)
    except (ValueError, TypeError):
        number = None
    if number is None or dirty is None:
        flag = "NULL" if dirty is None else str(dirty).lower()
        shown = "NULL" if version is None else str(version)[:_SHOWN]
        raise LedgerUnreadable(
            f"the ledger {table} has an invalid version: ({shown}, {flag})",
            "find the version the database is at and record it: `rung force V`",
        )
    return LedgerState(number, bool(dirty))


def outcome(word: object) -> Outcome:
    """The outcome of a word; `UNKNOWN` for a newer Rung's."""
    return _OUTCOMES.get(word, Outcome.UNKNOWN)


def _number(value: object) -> int:
    if not isinstance(value, str | int):
        raise TypeError
    number = int(value)
    if not 0 <= number <= _HIGHEST:
        raise ValueError
    return number


def _out_of_range(table: str, id_: object, column: str, value: object) -> LedgerUnreadable:
    text = "NULL" if value is None else f'"{value}"'
    shown = text if len(text) <= _SHOWN else f'{text[:_SHOWN]}…"'
    question = f"SELECT * FROM {table} WHERE id = {id_}"  # noqa: S608 - shown, never sent
    return LedgerUnreadable(
        f"the history {table} has an invalid value: row {id_}, column {column}: {shown}",
        f"inspect the row, and correct or delete it: `{question}`",
    )
