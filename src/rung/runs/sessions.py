"""
Finds what of a file set its session unseen: a DO block, a procedure or a function that it called.

SET is run again before a file goes on; what code has set is not. The code of functions is read
in the catalog, and of those that they call. What cannot be read may have set anything. Not seen is
what a trigger sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.statements import Dialect, calls_in, calls_of, dropped_before, in_session

if TYPE_CHECKING:
    from rung.drivers.base import Session
    from rung.statements import Calls, Script


def set_unseen(script: Script, done: int, session: Session) -> str:
    """
    Why the session behind the first `done` statements may not be what SET makes; else empty.

    Args:
        script: the file's, as it ran.
        done: how many of its statements are committed.
        session: asked for the code of functions.
    """
    if script.dialect is Dialect.SQLITE:
        return ""
    dropped, clean = dropped_before(script, done), set[str]()
    for one in in_session(script, done):
        calls = calls_in(script, one)
        if calls.names & dropped or _may_set(calls, session, clean):
            return (
                f"statement {one.number} on line {one.line} runs code that may have set its "
                "session (search_path, session_replication_role, …), and that is gone with it"
            )
    return ""


def _may_set(calls: Calls, session: Session, clean: set[str]) -> bool:
    """Whether code may set the session; names that are read and do not are added to `clean`."""
    sets, seen, left = calls.sets, frozenset[str](), calls.names - clean
    while left and not sets:
        seen |= left
        found = [code and calls_of(code) for code in session.code_of(left)]
        sets = any(not one or one.sets for one in found)
        left = frozenset().union(*(one.names for one in found if one)) - seen - clean
    if not sets:
        clean |= seen
    return sets
