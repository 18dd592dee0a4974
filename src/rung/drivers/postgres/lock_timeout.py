"""
For how long a file's statements may stand in a lock's queue. Pure.

Our limit goes by SET LOCAL into each transaction of a file, so it outlives none and meets
nobody behind a pooler. It gives way to one that the file sets, from there on, and to one of
the connection's own, unless ours was asked for. A concurrent statement has none, nor the
statement_timeout that is set for its role: it blocks no traffic, and cut off it would leave an
invalid index behind.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.drivers.postgres.message import cut, ours
from rung.drivers.postgres.quoting import Sql
from rung.script import holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rung.drivers.postgres.connect import SessionSettings
    from rung.drivers.postgres.message import Piece
    from rung.drivers.transaction import StatementRange
    from rung.options import RunOptions
    from rung.script import Script, Statement

_NAME = "lock_timeout"
_STATEMENT = "statement_timeout"
_SECONDS = {"us": 1e-6, "": 1e-3, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_VALUE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(us|ms|s|min|h|d|)\s*\Z")
_NO_LIMIT = Sql("SET lock_timeout = 0")
_NO_STATEMENT_LIMIT = Sql("SET statement_timeout = 0")
_ROLES_STATEMENT_LIMIT = Sql("SET statement_timeout TO DEFAULT")
_RESET_ALL = ("RESET", "ALL")
_SETS_ELSEWHERE = (("ALTER",), ("COMMENT",), ("CREATE",), ("SHOW",))
"""A function's or a role's setting is not the session's."""


class LockTimeoutPolicy:
    """
    The limit of one session, and whether files have set another.

    Args:
        options: the limit, and whether a file's own holds for the files after it.
        settings: all that the connection was asked for.
    """

    def __init__(self, options: RunOptions, settings: SessionSettings) -> None:
        given = {name.lower(): value for name, value in settings.items}
        named = given.get(_NAME)
        self.ours = named is None or options.insists_on_lock_timeout
        """Whether the limit is ours, and not the connection's own."""
        self.seconds = (options.lock_timeout or 0.0) if self.ours else _seconds(named or "")
        """0 for no limit."""
        self._carries = options.carries_session
        self._named = () if named is None else (Sql(f"SET lock_timeout = '{_quoted(named)}'"),)
        self._given = frozenset(given)
        self._chosen: set[str] = set()
        """The limits that an earlier file, whose session is carried over, has set."""

    @property
    def put_back(self) -> tuple[Sql, ...]:
        """For writes of ours that hold the file's locks."""
        return (self._set("SET LOCAL"),) if self.ours else ()

    def inside(self, script: Script, first: int) -> tuple[Sql, ...]:
        """At the head of a transaction that begins with a script's statement `first`."""
        return () if self._is_chosen(script, first) else self.put_back

    def within(self, script: Script, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """A transaction's text with our limit set again after a RESET ALL, which removes it."""
        for piece in pieces:
            rest, last = piece, piece.first + piece.statements - 1
            for one in script.statements[piece.first - 1 : last - 1]:
                if one.words[:2] == _RESET_ALL:
                    before, rest = cut(rest, script, one.number)
                    yield from (before, ours("limit", *self.inside(script, one.number + 1)))
            yield rest

    def alone(self, script: Script, number: int) -> tuple[Sql, ...]:
        """For the session, before a statement that is sent alone."""
        concurrent = script.statements[number - 1].concurrent_build
        unbound = (_NO_STATEMENT_LIMIT,) if self._unbinds(script, number) else ()
        if self._is_chosen(script, number):
            return unbound
        if concurrent:
            return (_NO_LIMIT, *unbound)
        return (self._set("SET"),) if self.ours else ()

    def behind(self, script: Script, number: int) -> tuple[Sql, ...]:
        """For the session, after a statement that was sent alone."""
        before = self.alone(script, number)
        back = (_ROLES_STATEMENT_LIMIT,) if _NO_STATEMENT_LIMIT in before else ()
        if len(before) == len(back):
            return back
        return (Sql("SET lock_timeout TO DEFAULT"), *self._named, *back)

    def _unbinds(self, script: Script, number: int) -> bool:
        """Whether a statement may take as long as it needs: a role's setting alone bounds it."""
        concurrent = script.statements[number - 1].concurrent_build
        given = _STATEMENT in self._given or self._is_chosen(script, number, _STATEMENT)
        return concurrent and not given

    def of(self, span: StatementRange | None, *, alone: bool = False) -> float:
        """The seconds for statements of a script, None for a write of ours; 0 for no limit."""
        if span is None or not alone:
            return self.seconds
        return 0.0 if span.script.statements[span.first - 1].concurrent_build else self.seconds

    def holds_for(self, script: Script | None) -> bool:
        """Whether a script, or a write, stands under our limit and sets none itself."""
        if script is None:
            return self.ours
        return self.ours and _NAME not in self._chosen and not holds(script.text, _NAME)

    def ran(self, span: StatementRange) -> None:
        """Remember the limits that statements set, where their session is carried over."""
        if self._carries:
            script, after = span.script, span.last + 1
            limits = (_NAME, _STATEMENT)
            self._chosen |= {one for one in limits if self._is_chosen(script, after, one)}

    def _is_chosen(self, script: Script, first: int, name: str = _NAME) -> bool:
        """Whether a limit was set before a script's statement `first`."""
        if name in self._chosen or not holds(script.text, name):
            return name in self._chosen
        return any(_chooses(script, one, name) for one in script.statements[: first - 1])

    def _set(self, verb: str) -> Sql:
        least = 1 if self.seconds else 0  # the server takes 0 for no limit
        return Sql(f"{verb} lock_timeout = {max(round(self.seconds * 1000), least):d}")


def _chooses(script: Script, statement: Statement, name: str) -> bool:
    """Whether a statement names the setting for more than its own transaction."""
    words, text = statement.words, script.text[statement.start : statement.end].lower()
    return name in text and words[:2] != ("SET", "LOCAL") and words[:1] not in _SETS_ELSEWHERE


def _seconds(value: str) -> float:
    """A value as the server reads it; 0 for one that it would refuse."""
    found = _VALUE.match(value)
    return float(found[1]) * _SECONDS[found[2]] if found else 0.0


def _quoted(value: str) -> str:
    return value.replace("'", "''")
