"""
What an interrupted script needs to resume after a statement. Pure.

Owns where it may resume (between units), which earlier statements are run again because they
changed the session only (SET), and which cannot be (temporary tables): those were lost with the
session.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import chain, takewhile
from typing import TYPE_CHECKING

from rung.script.checksum import said
from rung.script.dialect import Dialect
from rung.script.identifiers import folded
from rung.script.model import Control, TokenKind, Unit
from rung.script.rerun_rules import sets_session
from rung.script.sqlite.statement_rules import is_made_again, outlives_session
from rung.script.token_reader import StatementReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.script.model import Script, Statement, Token

_ENDS = (Control.COMMIT, Control.ROLLBACK)
_CHAINS = (Control.COMMIT_CHAIN, Control.ROLLBACK_CHAIN)
_SAVEPOINT = ("SAVEPOINT",)
_SET_CONFIG = ["select", "set_config", "(", "'", ",", "'", ","]
_PRAGMAS = frozenset({("PRAGMA",), ("EXPLAIN",)})
"""In SQLite: EXPLAIN PRAGMA is obeyed too."""
_OF_SESSION = frozenset({("SET",), ("RESET",), ("SHOW",)})
_NOT_NEEDED = frozenset({"LISTEN", "UNLISTEN", "DISCARD", "DO", "CALL"})


def may_resume_after(script: Script, done: int) -> bool:
    """Whether no transaction block of the script's own is open after `done` statements."""
    return not (done and in_block(script, 1, done))


def in_block(script: Script, first: int, last: int) -> bool:
    """Whether a block that begins in the statements `first` to `last` is open after them."""
    opened = False
    for one in script.statements[first - 1 : last]:
        if one.control is Control.BEGIN:
            opened = True
        elif one.control in _ENDS:
            opened = False
    return opened


def units_after(script: Script, done: int) -> tuple[Unit, ...]:
    """
    Return what of a script commits together after its first `done` statements.

    The rest of a unit within which it stopped is one.
    """
    left = (unit for unit in script.units if unit.last > done)
    return tuple(replace(unit, first=max(unit.first, done + 1)) for unit in left)


def cut_around(script: Script, unit: Unit, number: int) -> tuple[Unit, ...]:
    """
    A unit in up to three, so that one statement of it is sent alone.

    None where that statement is in a block of the script's own.
    """
    own = unit.transaction == "own" and script.dialect is Dialect.SQLITE
    if own or unit.transaction == "none" or in_block(script, unit.first, number):
        return ()
    before = replace(unit, last=number - 1, transaction="ours")
    alone = Unit(number, number, "none")
    after = replace(unit, first=number + 1)
    return tuple(one for one in (before, alone, after) if one.first <= one.last)


def leaves_nothing_before(script: Script, number: int) -> bool:
    """
    Whether nothing of the statements before one is left in the database, though they ran.

    They set the session, or were rolled back.
    """
    return all(_sets_only(one) for one in _kept(script, number - 1))


def session_before(script: Script, done: int) -> tuple[int, ...]:
    """The numbers of the statements up to there that set the session, to be run again."""
    return tuple(one.number for one in in_session(script, done) if _sets_session(script, one))


def lost_before(script: Script, done: int) -> Statement | None:
    """The first statement up to there whose work lived in its session and is not made again."""
    for one in in_session(script, done):
        if one.touches_session and not (_outlives(script, one) or _sets_session(script, one)):
            return one
    return None


def in_session(script: Script, done: int) -> Iterator[Statement]:
    """
    The statements up to there whose settings would still hold, in order.

    Not those before DISCARD ALL. SQLite takes no PRAGMA back where its transaction is rolled back.
    """
    kept = list(_kept(script, done))
    if script.dialect is Dialect.SQLITE:
        numbers = {one.number for one in kept}
        yield from (
            one
            for one in script.statements[:done]
            if one.number in numbers or one.words[:1] in _PRAGMAS
        )
        return
    discards = [at for at, one in enumerate(kept, 1) if one.words[:2] == ("DISCARD", "ALL")]
    yield from kept[discards[-1] if discards else 0 :]


def _outlives(script: Script, statement: Statement) -> bool:
    """Whether a new session does not need what a statement did in the former one."""
    if script.dialect is Dialect.SQLITE and outlives_session(
        script.text, script.tokens_of(statement)
    ):
        return True
    return statement.words[:1] != () and statement.words[0] in _NOT_NEEDED


def uncertain_after(script: Script, done: int) -> Statement | None:
    """
    Return what may have committed a part of the unit after the first `done` statements.

    That is an AND CHAIN within it.
    """
    unit = next(iter(units_after(script, done)), None)
    inside = script.statements[unit.first - 1 : unit.last] if unit else ()
    return next((one for one in inside if one.control in _CHAINS), None)


def same_until(script: Script, other: Script, done: int) -> bool:
    """Whether two scripts say the same in their first `done` statements."""
    enough = min(len(script.statements), len(other.statements)) >= done
    return enough and (not done or _beginning(script, done) == _beginning(other, done))


def _beginning(script: Script, done: int) -> str:
    end = script.statements[done - 1].end
    tokens = chain.from_iterable(script.parts())
    within = takewhile(lambda token: token.start < end, tokens)
    parts = [said(script.text, one) for one in within if one.kind is not TokenKind.DIRECTIVE]
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _kept(script: Script, done: int) -> Iterator[Statement]:
    """The statements up to there but those that were rolled back, to a savepoint too."""
    for unit in script.units:
        end = script.statements[unit.last - 1]
        undone = end.control is Control.ROLLBACK and unit.last <= done
        inside = script.statements[unit.first - 1 : min(unit.last, done)]
        chained = any(one.control in _CHAINS for one in inside)
        if chained or not undone:
            yield from _not_rolled_back(script, inside)


def _not_rolled_back(script: Script, inside: Sequence[Statement]) -> Sequence[Statement]:
    """
    The statements of a unit without those between a savepoint and ROLLBACK TO it.

    A savepoint hides an older one of its name. In SQLite a savepoint may be a transaction of its
    own; there all count, which at the worst refuses to go on.
    """
    if script.dialect is Dialect.SQLITE or not any(one.words[:1] == _SAVEPOINT for one in inside):
        return inside
    kept: list[Statement] = []
    savepoints: list[tuple[str, int]] = []
    for one in inside:
        kept.append(one)
        reader = StatementReader(script, one)
        back = reader.take("ROLLBACK") and reader.step_behind("TO")
        if reader.take("SAVEPOINT") and not back:
            savepoints.append((folded(reader.name()), len(kept)))
        elif back or reader.take("RELEASE"):
            reader.take("SAVEPOINT")
            name = folded(reader.name())
            at = max((n for n, point in enumerate(savepoints) if point[0] == name), default=None)
            if at is not None:
                del kept[savepoints[at][1] if back else len(kept) :]
                del savepoints[at + 1 if back else at :]
    return kept


def _sets_only(statement: Statement) -> bool:
    """Whether it changes the session or its transaction alone."""
    plain = statement.control in (*_ENDS, Control.BEGIN) or statement.words[:1] in _OF_SESSION
    return statement.session_only or plain


def _sets_session(script: Script, statement: Statement) -> bool:
    if not statement.touches_session:
        return False
    if sets_session(statement):
        return True
    if script.dialect is Dialect.SQLITE:
        return is_made_again(script.text, script.tokens_of(statement))
    return _is_plain_set_config(script, statement)


def _is_plain_set_config(script: Script, statement: Statement) -> bool:
    """Whether it is SELECT set_config of three literals: more might do something a second time."""
    shape = [
        "'" if token.kind is TokenKind.STRING else _spelled(script, token)
        for token in script.tokens_of(statement)
        if token.kind is not TokenKind.DIRECTIVE
    ]
    if shape[1:3] == ["pg_catalog", "."]:
        del shape[1:3]
    return shape[:-2] == _SET_CONFIG and shape[-2:] in (["true", ")"], ["false", ")"])


def _spelled(script: Script, token: Token) -> str:
    return script.text[token.start : token.end].strip('"').lower()
