"""
Monitors, on a second connection, which sessions block a statement and how far it has come.

Opens that connection only for a statement that takes its time. Cancels the queries of those
whose application was named for it, and never a connection. What cannot be seen or done is
said, and stops nothing.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.message import ours
from rung.drivers.postgres.quoting import Sql, statement
from rung.events import Blocker, BlockerCancelled, BuildProgress, LockAwaited, Queued, ignore
from rung.redaction import redacted_text
from rung.script import without_passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.drivers.postgres.connect import SideConnection
    from rung.drivers.postgres.wire import Reply, Row, Wire
    from rung.events import Listener

_EVERY = 1.0
"""Seconds between looks, and to the first; half the limit where that is shorter."""
_SHORTEST = 0.05
_SAY_EVERY = 5.0
_LONG = 2.0
"""A wait whose limit is longer is told of while it lasts, and not only when it is over."""
_SHOWN = 80


class BlockerMonitor:
    """
    Watches over the statements of one session.

    Args:
        side: the second connection.
        process: gives the server process of the first; None where it has none.
        cancels: the names of applications whose queries may be cancelled.
    """

    def __init__(
        self, side: SideConnection, process: Callable[[], int | None], cancels: tuple[str, ...]
    ) -> None:
        self.listener: Listener = ignore
        self._side, self._process, self._cancels = side, process, cancels
        self._told: set[int] = set()
        self.is_over_a_file = False

    @contextmanager
    def over(self, wire: Wire, limit: float) -> Iterator[Watch]:
        """
        Watch over the message that the block sends.

        Args:
            wire: sends it.
            limit: the seconds that it may wait for a lock; 0 for no limit.
        """
        watch = Watch(self, limit)
        wire.while_waiting.append(watch)
        self.is_over_a_file = True
        try:
            yield watch
        finally:
            self.is_over_a_file = False
            wire.while_waiting.remove(watch)

    def look(self) -> Reply | None:
        """What is to be seen now; None where nothing is."""
        process = self._process()
        if process is None:
            return None
        names = ("blocked_by", "queued_behind", "index_build", "standby_wait")
        questions = (statement(name, pid=quoting.number(process)) for name in names)
        reply = self._side.ask(Sql(ours("", *questions).sql))
        return None if reply is None or reply.error else reply

    def may_cancel(self, blocker: Blocker) -> bool:
        """Whether its application was named for it."""
        return bool(blocker.pid) and blocker.application in self._cancels

    def cancel(self, blocker: Blocker) -> None:
        """Cancel its query, and say so; what cannot be cancelled is said once."""
        refused = _cannot_be(blocker) or self._failure(blocker)
        if refused is None or (refused and blocker.pid in self._told):
            return
        self._told |= {blocker.pid} if refused else set()
        self.listener(BlockerCancelled(blocker, refused))

    def _failure(self, blocker: Blocker) -> str | None:
        """Empty where its query was cancelled; None where it was not in the way any more."""
        places = {
            "pid": quoting.number(self._process()),
            "blocker": quoting.number(blocker.pid),
            "application": quoting.text(blocker.application),
        }
        reply = self._side.ask(statement("cancel_blocker", **places))
        if reply is None:
            return None
        if reply.error:
            return f"{reply.error.message.message[:1].upper()}{reply.error.message.message[1:]}."
        return "" if reply.rows(0) else None


class OwnWatch:
    """
    Watches over messages of ours, where none of a file is watched over.

    Args:
        watcher: the session's.
    """

    def __init__(self, watcher: BlockerMonitor) -> None:
        self._watcher = watcher
        self._watch = Watch(watcher, 0.0)
        self._waited = 0.0

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        """The sessions that were last seen to block the current message, or the last one."""
        return self._watch.blockers

    def __call__(self, waited: float) -> None:
        """Look, where it is time to; less time than before is another message."""
        if self._watcher.is_over_a_file:
            return
        if waited < self._waited:
            self._watch = Watch(self._watcher, 0.0)
        self._waited = waited
        self._watch(waited)


class Watch:
    """One message under way."""

    def __init__(self, watcher: BlockerMonitor, limit: float) -> None:
        self.blockers: tuple[Blocker, ...] = ()
        """The sessions that were last seen to block it."""
        self.queued: tuple[Queued, ...] = ()
        self._watcher, self._limit = watcher, limit
        self._every = max(_SHORTEST, min(limit / 2 or _EVERY, _EVERY))
        self._next = self._every
        self._first = self._said = self._built = -math.inf
        self._asked_to_end: set[int] = set()

    def __call__(self, waited: float) -> None:
        """Look, where it is time to."""
        if waited < self._next:
            return
        self._next = waited + self._every
        reply = self._watcher.look()
        if reply is None:
            self._next = waited + _SAY_EVERY
            return
        self._met(reply, waited)
        if awaited := reply.rows(3):
            names, connected = awaited[0]
            standby = Blocker(0, standby=_standby(names or "", connected or "0"))
            self._tell((standby,), waited, always=True)
        if built := reply.rows(2):
            self._progress(built[0], waited)

    def _met(self, reply: Reply, waited: float) -> None:
        if blockers := tuple(blocker(row) for row in reply.rows(0)):
            self.queued = tuple(Queued(int(pid or 0), name or "") for pid, name in reply.rows(1))
            self._tell(blockers, waited)

    def _tell(self, blockers: tuple[Blocker, ...], waited: float, *, always: bool = False) -> None:
        self.blockers = blockers
        self._first = waited if self._first < 0 else self._first
        if (always or not self._limit or self._limit > _LONG) and waited - self._said >= _SAY_EVERY:
            self._said = waited
            event = LockAwaited(waited - self._first, self.blockers, self.queued)
            self._watcher.listener(event)
        for one in blockers:
            if self._watcher.may_cancel(one) and one.pid not in self._asked_to_end:
                self._asked_to_end.add(one.pid)
                self._watcher.cancel(one)

    def _progress(self, row: Row, waited: float) -> None:
        if waited - self._built >= _EVERY:
            self._built = waited
            self._watcher.listener(_progress(row, waited))


def blocker(row: Row) -> Blocker:
    """Who holds a lock, from a row of `blocked_by` or `locked_by`."""
    pid, user, application, state, in_state, in_transaction, query, prepared = row
    return Blocker(
        int(pid or 0),
        user or "",
        application or "",
        state or "",
        _number(in_state),
        _number(in_transaction),
        _beginning(query or ""),
        prepared or "",
    )


def _standby(names: str, connected: str) -> str:
    few = "none is connected" if connected == "0" else f"{connected} connected"
    return f'synchronous_standby_names is "{names}", {few}'


def _number(text: str | None) -> float | None:
    return None if text is None else max(0.0, float(text))


def _beginning(query: str) -> str:
    """The first of somebody else's SQL, on one line; masked before it is cut."""
    line = " ".join(redacted_text(without_passwords(query)).split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _cannot_be(blocker: Blocker) -> str:
    """Why there is no query to cancel; empty where there is one."""
    if not blocker.state.startswith("idle"):
        return ""
    return (
        f"It is {blocker.state}: no query of its can be cancelled. To end its connection: "
        f"SELECT pg_catalog.pg_terminate_backend({blocker.pid});"
    )


def _progress(row: Row, waited: float) -> BuildProgress:
    phase = row[0] or ""
    lockers, blocks, tuples = zip(*[iter(int(one or 0) for one in row[1:])] * 2, strict=True)
    counted = {"blocks": blocks, "tuples": tuples}
    if phase.startswith("waiting"):
        counted = {"transactions": lockers}
    what = next((name for name, (_, total) in reversed(counted.items()) if total), "")
    done, total = counted.get(what, (0, 0))
    return BuildProgress(phase, done, total, what, waited)
