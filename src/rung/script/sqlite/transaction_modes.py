"""
Decides how a script for SQLite can be run, and what of it commits together.

Owns the pairing of BEGIN with COMMIT: outside of a pair each statement commits by itself. Looks
only at what the statements say of themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import UnbalancedTransaction
from rung.script.model import Control, Mode, Statement, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHAINS = frozenset({Control.COMMIT_CHAIN, Control.ROLLBACK_CHAIN})
_TAILS = {
    Control.COMMIT_CHAIN: " AND CHAIN",
    Control.ROLLBACK_CHAIN: " AND CHAIN",
    Control.PREPARE: " TRANSACTION",
}


def mode_of(statements: Sequence[Statement], *, marked: bool = False) -> tuple[Mode, str]:
    """
    Decide how a script can be run, and say why.

    Args:
        statements: all of the script's.
        marked: the script has the directive `-- rung: no-transaction`.

    Raises:
        UnbalancedTransaction: a BEGIN without its COMMIT, or the reverse.
    """
    blocks = _blocks(statements)
    if not statements:
        return Mode.TRANSACTIONAL, "it has no statement"
    kept = () if marked else own_block(statements)
    if forced := _forced_to_units(kept or statements, marked=marked):
        return Mode.UNITS, forced
    if not blocks:
        return Mode.TRANSACTIONAL, "no statement needs to run outside a transaction"
    if kept:
        return _of_one_block(kept, whole=len(kept) == len(statements))
    several = "it has several transactions of its own"
    return Mode.UNITS, several if len(blocks) > 1 else "its own transaction contains only a part"


def own_block(statements: Sequence[Statement]) -> Sequence[Statement]:
    """
    The one transaction of its own that holds all that a script leaves in the database.

    Around it only the session is changed, if anything. Empty where there is no such.
    """
    blocks = _blocks(statements)
    if len(blocks) != 1:
        return ()
    ((first, last),) = blocks.items()
    around = (*statements[: first - 1], *statements[last:])
    return statements[first - 1 : last] if all(one.session_only for one in around) else ()


def _forced_to_units(statements: Sequence[Statement], *, marked: bool) -> str:
    if marked:
        return "its directive -- rung: no-transaction asks for it"
    for one in statements:
        if one.needs_no_transaction:
            what = f"{one.needs_no_transaction} on line {one.line}"
            return f"{what} cannot run inside a transaction"
    return ""


def units_of(
    statements: Sequence[Statement], mode: Mode, *, marked: bool = False
) -> tuple[Unit, ...]:
    """
    Give what commits together, in order.

    With `marked`, statements that may refuse a transaction are sent alone too.
    """
    if not statements:
        return ()
    if mode is not Mode.UNITS:
        whole = "ours" if mode is Mode.TRANSACTIONAL else "own"
        return (Unit(1, len(statements), whole),)
    blocks = _blocks(statements)
    units, number = [], 1
    while number <= len(statements):
        last = blocks.get(number, number)
        alone = _runs_alone(statements[number - 1], marked=marked)
        transaction = "own" if number in blocks else "none" if alone else "ours"
        units.append(Unit(number, last, transaction))
        number = last + 1
    return tuple(units)


def _runs_alone(statement: Statement, *, marked: bool) -> bool:
    return bool(statement.needs_no_transaction) or (marked and statement.may_refuse)


def _blocks(statements: Sequence[Statement]) -> dict[int, int]:
    """The script's own transactions: the number of the first statement to that of the last."""
    blocks: dict[int, int] = {}
    first = opened = None
    for one in statements:
        control = one.control
        if control is None or control is Control.RESOLVE_PREPARED:
            continue
        if control is Control.BEGIN:
            if first:
                raise _unbalanced(one, "is inside an open transaction")
            first = opened = one
        elif not first:
            raise _unbalanced(one, "has no BEGIN before it")
        elif control in _CHAINS:
            opened = one
        else:
            blocks[first.number] = one.number
            first = None
    if first and opened:
        raise _unbalanced(opened, "opens a transaction that no COMMIT or ROLLBACK ends")
    return blocks


def _unbalanced(statement: Statement, problem: str) -> UnbalancedTransaction:
    return UnbalancedTransaction(f"{_name(statement)} {problem}", statement.line)


def _name(statement: Statement) -> str:
    first = statement.words[0]
    if first == "START":
        return "START TRANSACTION"
    return first + (_TAILS.get(statement.control, "") if statement.control else "")


def _of_one_block(statements: Sequence[Statement], *, whole: bool) -> tuple[Mode, str]:
    last = statements[-1]
    if last.control is not Control.COMMIT:
        return Mode.UNITS, f"its own transaction ends with {_name(last)} on line {last.line}"
    for one in statements[1:-1]:
        if one.control:
            return Mode.UNITS, f"{_name(one)} on line {one.line} splits its own transaction"
    all_of_it = "all of it" if whole else "all that it leaves in the database"
    return Mode.OWN_TRANSACTION, f"its own BEGIN and COMMIT enclose {all_of_it}"
