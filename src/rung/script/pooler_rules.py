"""
Tells which scripts need a session of their own, so that none may be shared between clients.

Behind a pooler each transaction may meet another session. What a statement leaves in its
session for those of a later transaction would not be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.script.model import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rung.script.model import Script, Statement

_PERHAPS = (("DO",), ("CALL",))
"""They count as touching the session for want of knowing; most do not."""


def needs_session(script: Script, settings: Sequence[str] = ()) -> str:
    """
    Why a script needs one session for all of it; empty where it does not.

    Args:
        script: how it runs counts.
        settings: names of settings of ours that would hold inside transactions only.
    """
    return _between_units(script, settings) if script.mode is Mode.UNITS else ""


def _between_units(script: Script, settings: Sequence[str]) -> str:
    touching = (s for s in script.statements if s.touches_session and s.words[:1] not in _PERHAPS)
    if found := _first(touching):
        return f"{_named(found)} changes the session for what follows in another transaction"
    alone = (u.first for u in script.units if u.transaction == "none")
    if settings and (number := next(alone, None)):
        names = ", ".join(settings)
        found = script.statements[number - 1]
        return f"{_named(found)} runs outside a transaction, without our settings ({names})"
    return ""


def _first(statements: Iterable[Statement]) -> Statement | None:
    return next(iter(statements), None)


def _named(statement: Statement) -> str:
    return f"statement {statement.number} (line {statement.line})"
