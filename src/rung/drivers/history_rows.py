"""
From a row of the history to a `Attempt`; what cannot be one is an error with its place.

Anybody may have written the table, and an older column may have lost its NOT NULL: a value
that is missing, of another type, out of range or not a word of ours names its row and its column.
In a row that a newer Rung wrote, an outcome that is not known here stays a value of its own. Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
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
_HIGHEST = 2**63 - 1
_SHOWN = 60


def entry(row: Sequence[object], table: str, moment: Callable[[Any], datetime]) -> Attempt:
    """
    The entry of a row, its values in the order of `COLUMNS`.

    Args:
        row: as the database gave it.
        table: the history's name, for the error.
        moment: reads a point in time as this database gives it.

    Raises:
        LedgerUnreadable: a value cannot be; with its row and column.
    """
    found: dict[str, Any] = {}
    for column, value in zip(COLUMNS, row, strict=True):
        try:
            found[column] = _read(column, value, moment)
        except (ValueError, TypeError, OverflowError, OSError):
            raise _out_of_range(table, row[0], column, value) from None
    read = Attempt(**found)
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


def _is_newer(tool_version: str) -> bool:
    """Whether a row is of a newer Rung than this one."""
    theirs, ours = (
        [int(digits) for digits in re.findall(r"[0-9]{1,9}", text)[:3]]
        for text in (tool_version, __version__)
    )
    return theirs > ours


def _read(column: str, value: object, moment: Callable[[Any], datetime]) -> object:
    if value is None:
        if column not in _MAY_BE_NULL:
            raise ValueError
        return None
    if column in _NUMBERS:
        return _number(value)
    if column in _MOMENTS:
        return moment(value).astimezone(UTC)
    if column == "outcome":
        return outcome(value)
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
        LedgerUnreadable: it is no version.
    """
    try:
        number = NO_VERSION if str(version) == str(NO_VERSION) else _number(version)
    except (ValueError, TypeError):
        number = None
    if number is None or dirty is None:
        flag = "NULL" if dirty is None else str(dirty).lower()
        shown = "NULL" if version is None else str(version)[:_SHOWN]
        raise LedgerUnreadable(
            f"The ledger {table} holds what is no version: ({shown}, {flag}).",
            "Find out the version the database is at and write it: `rung force V`.",
        )
    return LedgerState(number, bool(dirty))


def outcome(word: object) -> Outcome:
    """The outcome of a word; `UNKNOWN` for a newer Rung's."""
    try:
        return Outcome(word)
    except ValueError:
        return Outcome.UNKNOWN


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
        f"the history {table} holds a value that cannot be: row {id_}, column {column}: {shown}",
        f"look at the row, and correct or delete it: `{question}`",
    )
