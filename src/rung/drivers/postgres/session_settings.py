"""
The settings of a session as statements, for connections not opened with them. Pure.

Poolers refuse `options`, or pass them over. Then the settings are put by SET: for the session
where it is ours alone, else for one message at a time, so that nobody else's transactions are
run with them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.postgres import quoting
from rung.drivers.postgres.ledger_sql import FORGET
from rung.drivers.postgres.lock import checked, insist
from rung.drivers.postgres.message import ours
from rung.drivers.postgres.quoting import Sql, statement
from rung.errors import sqlstate

if TYPE_CHECKING:
    from rung.drivers.postgres.wire import Wire


_LISTS = ("search_path", "temp_tablespaces")
"""Where SET takes one literal for one name, and not a list in a text."""

_WHERE = ("search_path", "role")
_RIGHTS_AND_TIME = ("role", "session_authorization", "statement_timeout", "lock_timeout")
_AS_AT_CONNECT = (
    Sql("SET LOCAL SESSION AUTHORIZATION DEFAULT"),
    Sql('SET LOCAL "role" TO DEFAULT'),
    Sql("SET LOCAL search_path TO DEFAULT"),
    Sql("SET LOCAL statement_timeout TO DEFAULT"),
    Sql("SET LOCAL lock_timeout TO DEFAULT"),
)
_NAMES = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"]*))\s*(?:,|\Z)')


class SessionSettings(NamedTuple):
    """Settings by name, in order."""

    items: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """What is set."""
        return frozenset(name.lower() for name, _ in self.items)

    @property
    def where(self) -> SessionSettings:
        """Those without which the wrong tables would be read."""
        return SessionSettings(tuple(item for item in self.items if item[0].lower() in _WHERE))

    @property
    def for_session(self) -> tuple[Sql, ...]:
        """After connecting, and behind every reset. Takes no snapshot."""
        return tuple(_set("SET", name, value) for name, value in self.items)

    @property
    def for_message(self) -> tuple[Sql, ...]:
        """In front of a message, for that message alone."""
        return tuple(_set("SET LOCAL", name, value) for name, value in self.items)

    @property
    def for_shared(self) -> tuple[Sql, ...]:
        """The same behind a pooler, where another client may have left the session changed."""
        return (*_AS_AT_CONNECT, *self.for_message)

    @property
    def rights_and_time(self) -> tuple[Sql, ...]:
        """Follows what restores our rights and our timeouts inside a transaction."""
        kept = (item for item in self.items if item[0].lower() in _RIGHTS_AND_TIME)
        return tuple(_set("SET LOCAL", name, value) for name, value in kept)


def _set(verb: str, name: str, value: str) -> Sql:
    values = _names(value) if name.lower() in _LISTS else [value]
    texts = ", ".join(quoting.text(value) for value in values)
    return Sql(f"{verb} {quoting.name(*name.split('.'))} = {texts}")


def _names(value: str) -> list[str]:
    """The names of a list as the server reads them: folded where they are not quoted."""
    found = [
        plain.strip().lower() if plain or not quoted else quoted.replace('""', '"')
        for quoted, plain in _NAMES.findall(value)
    ]
    return [name for name in found if name] or [""]


_WHO = ("role", "session_authorization")
"""What `who_we_are` asks for, in its order."""


def put_back(wire: Wire, settings: SessionSettings) -> tuple[str, ...]:
    """
    Put the session back; name what had been changed.

    Args:
        wire: idle, on a session that is ours alone.
        settings: those that we have set ourselves.
    """
    question, forget = statement("changed_settings"), (*FORGET, *settings.for_session)
    sql = ours("", question, *forget, statement("who_we_are")).sql
    reply = wire.ask(Sql(sql))
    if reply.error and reply.error.message.sqlstate == sqlstate.QUERY_CANCELED:
        insist(wire, Sql(ours("", *forget).sql))
        return ("statement_timeout",)
    checked(reply)
    names, *before = reply.rows(0)[0]
    after = reply.rows(reply.done - 1)[0]
    changed = set(names.split(", ") if names else ()) - settings.names
    changed |= {name for name, was, now in zip(_WHO, before, after, strict=True) if was != now}
    return tuple(sorted(changed))
