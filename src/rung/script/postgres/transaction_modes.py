"""
Decides how a script for PostgreSQL can be run, and what of it commits together.

The borders are those that the server gives the whole text where it is sent as one message, as
golang-migrate sends it: what stands before a BEGIN belongs to that block, and what follows a
COMMIT is one implicit transaction up to the next end. What refuses a transaction block splits
it and is sent alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import StatementMisplaced, UnbalancedTransaction
from rung.script.model import Control, Mode, Statement, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CHAINS = frozenset({Control.COMMIT_CHAIN, Control.ROLLBACK_CHAIN})
_ENDS = frozenset({Control.COMMIT, Control.ROLLBACK})


def mode_of(statements: Sequence[Statement], *, marked: bool = False) -> tuple[Mode, str]:
    """
    Decide how a script can be run, and say why.

    Args:
        statements: all of the script's.
        marked: the script has the directive `-- rung: no-transaction`.

    Raises:
        UnbalancedTransaction: a block is left open at the end, or is to go on where none is.
        StatementMisplaced: a statement can never run at its place in the file.
    """
    _check(statements)
    if not statements:
        return Mode.TRANSACTIONAL, "it has no statement"
    ends = [one for one in statements if one.control in _ENDS or one.control in _CHAINS]
    if several := _splits(statements, ends, marked=marked):
        return Mode.UNITS, several
    if not ends:
        return Mode.TRANSACTIONAL, "no statement needs to run outside a transaction"
    if statements[0].control is Control.BEGIN:
        return Mode.OWN_TRANSACTION, "its own BEGIN and COMMIT enclose all of it"
    return Mode.OWN_TRANSACTION, f"{_named(ends[0])} commits all of it"


def _splits(statements: Sequence[Statement], ends: Sequence[Statement], *, marked: bool) -> str:
    """Why a script with these ends of transactions is not one transaction; empty where it is."""
    if marked:
        return "its directive -- rung: no-transaction asks for it"
    refused = (one for one in statements if one.needs_no_transaction)
    chained = (one for one in ends if one.control in _CHAINS)
    if one := next(refused, None):
        return f"{one.needs_no_transaction} on line {one.line} cannot run inside a transaction"
    if one := next(chained, None):
        return f"{_named(one)} splits its own transaction"
    if len(ends) > 1:
        return "it has several transactions of its own"
    if ends and ends[0].control is Control.ROLLBACK:
        return f"its own transaction ends with {_named(ends[0])}"
    follow = bool(ends) and ends[0].number != statements[-1].number
    return f"statements follow {_named(ends[0])}" if follow else ""


def units_of(
    statements: Sequence[Statement], *, marked: bool = False, singly: bool = False
) -> tuple[Unit, ...]:
    """
    Give what commits together, in order.

    Args:
        statements: all of a script's.
        marked: each statement outside a block commits by itself, and what may refuse a
            transaction is sent without one.
        singly: each statement outside a block commits by itself, as where each is a message.
    """
    units: list[Unit] = []
    first = 1
    for one, opened in _blocks(statements):
        alone = not opened and (one.needs_no_transaction or (marked and one.may_refuse))
        if alone:
            units += _open_unit(first, one.number - 1)
            units.append(Unit(one.number, one.number, "none"))
        elif one.control in _ENDS:
            units.append(Unit(first, one.number, "own"))
        elif (singly or marked) and not opened and one.control is not Control.BEGIN:
            units += _open_unit(first, one.number)
        else:
            continue
        first = one.number + 1
    return (*units, *_open_unit(first, len(statements)))


def _open_unit(first: int, last: int) -> Iterator[Unit]:
    """What no COMMIT of the file's own ends, if it is not empty."""
    if first <= last:
        yield Unit(first, last, "ours")


def _blocks(statements: Sequence[Statement]) -> Iterator[tuple[Statement, Statement | None]]:
    """Yield each statement with what opened its block, None outside of one."""
    opened: Statement | None = None
    for one in statements:
        yield one, opened
        opened = _behind(one, opened)


def _behind(statement: Statement, opened: Statement | None) -> Statement | None:
    """Return what opened the block that is open after a statement; None where none is."""
    if statement.control is Control.BEGIN:
        return opened or statement
    if statement.control in _CHAINS:
        return opened and statement
    return None if statement.control in _ENDS else opened


def _check(statements: Sequence[Statement]) -> None:
    """Refuse what the server would refuse half way, or what would keep our lock."""
    left = None
    for one, opened in _blocks(statements):
        if one.control is Control.PREPARE:
            problem = f"{_words(one)} would keep our lock, because it leaves a transaction open"
            raise UnbalancedTransaction(problem, one.line)
        if opened and one.needs_no_transaction:
            what = f"{one.needs_no_transaction} cannot run inside a transaction"
            problem = f"{what}, and {_named(opened)} opens one"
            raise StatementMisplaced(problem, one.line)
        if one.control in _CHAINS and not opened:
            raise UnbalancedTransaction(f"{_words(one)} has no BEGIN before it", one.line)
        left = _behind(one, opened)
    if left:
        problem = f"{_words(left)} opens a transaction that no COMMIT or ROLLBACK ends"
        raise UnbalancedTransaction(problem, left.line)


def _named(statement: Statement) -> str:
    return f"{_words(statement)} on line {statement.line}"


def _words(statement: Statement) -> str:
    first = statement.words[0]
    if first == "START" or statement.control is Control.PREPARE:
        return f"{first} TRANSACTION"
    return f"{first} AND CHAIN" if statement.control in _CHAINS else first
