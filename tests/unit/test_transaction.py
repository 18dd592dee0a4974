"""The order inside a part of a transaction, which every driver follows."""

from __future__ import annotations

import pytest

from rung.drivers.transaction import (
    LedgerTransition,
    Part,
    PartStep,
    StatementRange,
    Transaction,
    Wrap,
    steps_of,
)
from rung.ledger import LedgerState
from rung.script import read

MOVE = LedgerTransition(LedgerState(), LedgerState(1))
SPAN = StatementRange.whole(read("select 1; select 2"))
FILE = Part(SPAN, MOVE, starts_file=True)
RECORDS = Part(ledger=MOVE)
INSIDE = ("PROVE_LOCK", "LOCK_TIMEOUT", "GUARD_LEDGER", "STATEMENTS", "OUR_RIGHTS")
AFTER = ("MOVE_LEDGER", "WRITE_HISTORY")
LATER = ("PROVE_LOCK", "LOCK_TIMEOUT", "STATEMENTS", "OUR_RIGHTS")


@pytest.mark.parametrize(
    ("transaction", "number", "steps"),
    [
        (Transaction((FILE,)), 0, ("RESET_SESSION", "BEGIN", *INSIDE, *AFTER, "COMMIT")),
        (Transaction((FILE, FILE)), 0, ("RESET_SESSION", "BEGIN", *INSIDE, *AFTER)),
        (Transaction((FILE, FILE)), 1, ("RESET_SESSION", *LATER, *AFTER, "COMMIT")),
        (
            Transaction((FILE,), Wrap.OWN),
            0,
            ("RESET_SESSION", *INSIDE, *AFTER, "OWN_COMMIT"),
        ),
        (
            Transaction((Part(SPAN),), Wrap.OWN, records_follow=True),
            0,
            ("PROVE_LOCK", "LOCK_TIMEOUT", "STATEMENTS"),
        ),
        (
            Transaction((Part(SPAN, replays=(1,)),), Wrap.NONE),
            0,
            ("REPLAY", "LOCK_TIMEOUT", "STATEMENTS"),
        ),
        (
            Transaction((RECORDS,)),
            0,
            ("BEGIN", "OUR_RIGHTS", "PROVE_LOCK", "GUARD_LEDGER", *AFTER, "COMMIT"),
        ),
    ],
    ids=["a file", "first of two", "last", "its own", "read only", "alone", "records"],
)
def test_the_order(transaction: Transaction, number: int, steps: tuple[str, ...]) -> None:
    """The guard comes before the statements, the records between them and the commit."""
    assert tuple(step.name for step in steps_of(transaction, number)) == steps


def test_a_move_that_keeps_readers_waiting_comes_last() -> None:
    """After the row of the history, just before the commit."""
    steps = steps_of(Transaction((FILE,)), 0, moves_last=True)

    assert steps[-3:] == (PartStep.WRITE_HISTORY, PartStep.MOVE_LEDGER, PartStep.COMMIT)


def test_a_begin_that_is_sent_alone_comes_before_our_statements() -> None:
    """Outside a transaction LOCK TABLE fails, and SET LOCAL does nothing."""
    steps = steps_of(Transaction((FILE,), Wrap.OWN), 0, begins_alone=True)

    assert steps[:3] == (PartStep.RESET_SESSION, PartStep.OWN_BEGIN, PartStep.PROVE_LOCK)
