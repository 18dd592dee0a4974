"""
What a script needs that stopped in the middle, so that it can go on behind a statement. Pure.

Owns where it may go on (between what commits together), what of the statements before has to
be done again because it lived in the session alone (SET), and what cannot be (temporary
tables): that is gone with the session.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import takewhile
from typing import TYPE_CHECKING

from rung.statements.checksum import said
from rung.statements.model import Control, Mode, TokenKind, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.statements.model import Script, Statement, Token

_AGAIN = frozenset({("SET",), ("RESET",), ("LOAD",), ("ATTACH",)})
_ENDS = (Control.COMMIT, Control.ROLLBACK)
_NOT_NEEDED = frozenset({"LISTEN", "UNLISTEN", "DISCARD", "DO", "CALL", "DETACH", "PRAGMA"})


def single_units(script: Script) -> tuple[Unit, ...]:
    """What commits together where each statement outside a transaction of its own does alone."""
    if script.mode is Mode.TRANSACTIONAL:
        return tuple(Unit(one.number, one.number, "ours") for one in script.statements)
    return script.units


def may_go_on_behind(script: Script, done: int) -> bool:
    """Whether `done` statements end where something of the script commits."""
    return not done or any(unit.last == done for unit in single_units(script))


def units_behind(script: Script, done: int) -> tuple[Unit, ...]:
    """
    What of a script commits together behind its first `done` statements.

    The rest of a script that may run in a transaction is one.
    """
    if script.mode is Mode.TRANSACTIONAL:
        total = len(script.statements)
        return (Unit(done + 1, total, "ours"),) if done < total else ()
    return tuple(unit for unit in script.units if unit.first > done)


def session_before(script: Script, done: int) -> tuple[int, ...]:
    """The numbers of the statements up to there that set the session, to be run again."""
    return tuple(one.number for one in _kept(script, done) if _sets_session(script, one))


def lost_before(script: Script, done: int) -> Statement | None:
    """The first statement up to there whose work lived in its session and is not made again."""
    for one in _kept(script, done):
        lives_on = one.words[:1] and one.words[0] not in _NOT_NEEDED
        if one.touches_session and lives_on and not _sets_session(script, one):
            return one
    return None


def uncertain_behind(script: Script, done: int) -> Statement | None:
    """
    What may have committed a part of the unit behind the first `done` statements; None for none.

    A COMMIT AND CHAIN within it, or a PREPARE TRANSACTION at its end.
    """
    unit = next((one for one in script.units if one.first == done + 1), None)
    if unit is None or unit.transaction != "own":
        return None
    inside = script.statements[unit.first : unit.last]
    ends = [one for one in inside if one.control]
    plain = len(ends) == 1 and ends[0].control in _ENDS
    return None if plain else ends[0]


def same_until(script: Script, other: Script, done: int) -> bool:
    """Whether two scripts say the same in their first `done` statements."""
    enough = min(len(script.statements), len(other.statements)) >= done
    return enough and (not done or _beginning(script, done) == _beginning(other, done))


def _beginning(script: Script, done: int) -> str:
    end = script.statements[done - 1].end
    within = takewhile(lambda token: token.start < end, script.tokens)
    parts = [said(script.text, one) for one in within if one.kind is not TokenKind.DIRECTIVE]
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _kept(script: Script, done: int) -> Iterator[Statement]:
    """The statements up to there but those of transactions that were rolled back."""
    for unit in single_units(script):
        end = script.statements[unit.last - 1]
        undone = unit.transaction == "own" and end.control is not Control.COMMIT
        if unit.last <= done and not undone:
            yield from script.statements[unit.first - 1 : unit.last]


def _sets_session(script: Script, statement: Statement) -> bool:
    if not statement.touches_session:
        return False
    if statement.session_only or statement.words[:1] in _AGAIN:
        return True
    spelled = [_spelled(script, token) for token in script.tokens_of(statement)[:5]]
    called = spelled[3:] if spelled[1:3] == ["pg_catalog", "."] else spelled[1:]
    return spelled[:1] == ["select"] and called[:2] == ["set_config", "("]


def _spelled(script: Script, token: Token) -> str:
    return script.text[token.start : token.end].strip('"').lower()
