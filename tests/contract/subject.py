"""What the contract's tests are written with: a driver on a database, attempts, moves, scripts."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from rung.cancellation import CancelToken
from rung.drivers.contract import FileVersion, LedgerTransition, NewAttempt, StatementFailure
from rung.errors import ServerMessage
from rung.ledger import HISTORY_TABLE, LEDGER_TABLE, LedgerState
from rung.script import Dialect, Script, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.drivers.contract import Driver, Session

EMPTY, ONE, TWO, DIRTY = LedgerState(), LedgerState(1), LedgerState(2), LedgerState(2, dirty=True)
BELOW, BELOW_DIRTY = LedgerState(-1), LedgerState(-1, dirty=True)
BEFORE: dict[str, list[tuple[int, bool]]] = {
    "empty": [],
    "row": [(2, False)],
    "another row": [(7, False)],
    "-1 clean": [(-1, False)],
    "-1 dirty": [(-1, True)],
    "dirty": [(2, True)],
    "two rows": [(2, False), (7, False)],
}
MOVES = {
    "from empty": LedgerTransition(EMPTY, ONE),
    "from empty to dirty": LedgerTransition(EMPTY, LedgerState(1, dirty=True)),
    "up": LedgerTransition(TWO, LedgerState(3)),
    "down": LedgerTransition(TWO, ONE),
    "to empty": LedgerTransition(TWO, EMPTY),
    "to dirty": LedgerTransition(TWO, DIRTY),
    "to dirty below": LedgerTransition(TWO, BELOW_DIRTY),
    "from -1": LedgerTransition(BELOW, ONE),
    "clean again": LedgerTransition(DIRTY, TWO),
    "clean to empty": LedgerTransition(BELOW_DIRTY, EMPTY),
}
MAKES = "CREATE TABLE made (x int);\nINSERT INTO made VALUES (1);"
FAILS = "CREATE TABLE made (x int);\nINSERT INTO nowhere VALUES (1);"


@dataclass(frozen=True, slots=True)
class Subject:
    """A driver on an empty database, and that database without the driver."""

    driver: Driver
    ask: Callable[[str], list[tuple[Any, ...]]]
    exists: Callable[[str], bool]
    """Whether a table of that name is there."""
    dialect: Dialect
    """How the database reads SQL."""
    outside: str = "VACUUM;"
    """A statement that this database runs only outside a transaction."""

    def read(self, text: str) -> Script:
        """A script as this database reads it."""
        return read(text, self.dialect)

    def ledger(self) -> list[tuple[int, bool]]:
        """The ledger's rows, in order."""
        rows = self.ask(f"SELECT version, dirty FROM {LEDGER_TABLE} ORDER BY version")
        return [(int(row[0]), bool(row[1])) for row in rows]

    def outcomes(self) -> list[tuple[str, int, int | None]]:
        """Outcome, statements done and statement in flight of each attempt, oldest first."""
        columns = "outcome, statements_done, in_flight"
        return [
            (row[0], row[1], row[2])
            for row in self.ask(f"SELECT {columns} FROM {HISTORY_TABLE} ORDER BY id")
        ]

    def put(self, rows: list[tuple[int, bool]]) -> None:
        """Write the ledger's rows past the driver."""
        self.ask(f"DELETE FROM {LEDGER_TABLE}")
        for version, dirty in rows:
            self.ask(f"INSERT INTO {LEDGER_TABLE} VALUES ({version}, {dirty})")


TEXT = 'it\'s \\ "é" -- ; $$'
"""Awkward for who quotes badly."""


def attempt(version: int | None = 1, direction: str = "up", total: int = 2) -> NewAttempt:
    """An attempt with an id of its own, and awkward text in every place for text."""
    up = FileVersion("sum up", "digest up", TEXT)
    down = FileVersion("sum down", "digest down", TEXT)
    return NewAttempt(str(uuid.uuid4()), version, TEXT, direction, up, down, total)


def failure(message: str = "no") -> StatementFailure:
    """A failure of the second statement."""
    return StatementFailure(ServerMessage(message, "XX000"), statement=2, statements_done=1)


def state_of(rows: list[tuple[int, bool]]) -> LedgerState | None:
    """The state that rows are; None for more than one."""
    if len(rows) > 1:
        return None
    return LedgerState(*rows[0]) if rows else EMPTY


def rows_of(state: LedgerState) -> list[tuple[int, bool]]:
    """The rows that a state is."""
    return [] if state.row is None else [(state.row, state.dirty)]


class Ground:
    """The fixtures of every part of the contract; a driver's own class gives `subject`."""

    @pytest.fixture
    def subject(self) -> Subject:
        raise NotImplementedError

    @pytest.fixture
    def open_one(self, subject: Subject) -> Iterator[Callable[[], Session]]:
        with ExitStack() as stack:
            yield lambda: stack.enter_context(subject.driver.connect(CancelToken()))

    @pytest.fixture
    def session(self, open_one: Callable[[], Session]) -> Session:
        one = open_one()
        one.inspect()
        return one

    @pytest.fixture
    def ready(self, session: Session) -> Session:
        assert session.try_lock()
        session.prepare_tables()
        return session
