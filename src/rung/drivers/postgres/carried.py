"""Puts a session back to what it was at connect, and tells what a file had changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.postgres.holding import checked, insist
from rung.drivers.postgres.message import ours
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.records import FORGET
from rung.drivers.postgres.refusals import CANCELLED
from rung.drivers.postgres.statements import statement
from rung.drivers.work import Carried

if TYPE_CHECKING:
    from rung.drivers.postgres.settings import Settings
    from rung.drivers.postgres.wire import Wire

_WHO = ("role", "session_authorization")
"""What `who_we_are` asks for, in its order."""


def put_back(wire: Wire, settings: Settings) -> Carried:
    """
    Put the session back; name what had been changed.

    Args:
        wire: idle, on a session that is ours alone.
        settings: those that we have set ourselves.
    """
    question, forget = statement("changed_settings"), (*FORGET, *settings.for_session)
    sql = ours("", question, *forget, statement("who_we_are")).sql
    reply = wire.ask(Sql(sql))
    if reply.error and reply.error.message.sqlstate == CANCELLED:
        insist(wire, Sql(ours("", *forget).sql))
        return Carried(("statement_timeout",))
    checked(reply)
    names, *before = reply.rows(0)[0]
    after = reply.rows(reply.done - 1)[0]
    changed = set(names.split(", ") if names else ()) - settings.names
    changed |= {name for name, was, now in zip(_WHO, before, after, strict=True) if was != now}
    return Carried(tuple(sorted(changed)))
