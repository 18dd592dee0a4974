"""
From the rows of the history to `Attempt`s; a row that cannot be one is an error with its place.

Anybody may have written the table, and an older column may have lost its NOT NULL: a value
that is missing, of another type, out of range or not a word of ours names its row and its column.
In a row that a newer Rung wrote, an outcome that is not known here stays a value of its own. Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from types import NoneType
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


def entries(
    rows: Sequence[Sequence[object]], table: str, moment: Callable[[Any], datetime]
) -> tuple[Attempt, ...]:
    """
    Read the rows of the history, column by column: there may be 10,000.

    Args:
        rows: as the database gave them, with their values in the order of `COLUMNS`.
        table: the history's name, for the error.
        moment: reads a point in time as this database gives it.

    Raises:
        LedgerUnreadable: a value cannot be read; with its row and column.
    """
    try:
        columns = (
            _column(column, values, moment)
            for column, values in zip(COLUMNS, zip(*rows, strict=True), strict=bool(rows))
        )
        attempts = tuple(map(Attempt, *columns)) if rows else ()
    except _UNREADABLE:
        attempts = ()
    words = {(a.outcome, a.direction, a.version is None, a.tool_version) for a in attempts}
    if len(attempts) == len(rows) and not any(_wrong_word(*one) for one in words):
        return attempts
    raise _first_invalid(rows, table, moment)


def _column(
    column: str, values: Sequence[Any], moment: Callable[[Any], datetime]
) -> Sequence[object]:
    """Read the values of one column; raise one of `_UNREADABLE` where one of them is invalid."""
    kinds = set(map(type, values))
    if NoneType in kinds and column in _MAY_BE_NULL:
        there = iter(_column(column, [one for one in values if one is not None], moment))
        return [None if one is None else next(there) for one in values]
    if column in _MOMENTS:
        return [moment(one).astimezone(UTC) for one in values]
    if column in _NUMBERS:
        if kinds - {str, int}:
            raise TypeError
        numbers = list(map(int, values))
        if numbers and not 0 <= min(numbers) <= max(numbers) <= _HIGHEST:
            raise ValueError
        return numbers
    if kinds - {str}:
        raise TypeError
    return list(map(outcome, values)) if column == "outcome" else values


def _wrong_word(word: Outcome, direction: str, lacks_version: bool, tool_version: str) -> str:  # noqa: FBT001
    """Return the column whose value no Rung up to this one writes; empty where each may be."""
    if _is_newer(tool_version):
        return ""
    if word is Outcome.UNKNOWN:
        return "outcome"
    if direction not in DIRECTIONS:
        return "direction"
    return "version" if lacks_version and direction not in MAY_LACK_VERSION else ""


@lru_cache(maxsize=32)
def _is_newer(tool_version: str) -> bool:
    """Whether a newer Rung than this one wrote a row."""
    theirs, ours = (
        [int(digits) for digits in re.findall(r"[0-9]{1,9}", text)[:3]]
        for text in (tool_version, __version__)
    )
    return theirs > ours


def _first_invalid(
    rows: Sequence[Sequence[object]], table: str, moment: Callable[[Any], datetime]
) -> LedgerUnreadable:
    """Return the error of the first row with a value that is not valid; there is one."""
    for row in rows:
        read: dict[str, Any] = {}
        for column, value in zip(COLUMNS, row, strict=True):
            try:
                (read[column],) = _column(column, (value,), moment)
            except _UNREADABLE:
                return _out_of_range(table, row[0], column, value)
        lacks = read["version"] is None
        wrong = _wrong_word(read["outcome"], read["direction"], lacks, read["tool_version"])
        if wrong:
            return _out_of_range(table, row[0], wrong, row[COLUMNS.index(wrong)])
    raise AssertionError(rows)


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
