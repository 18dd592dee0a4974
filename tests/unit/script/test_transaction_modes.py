"""Transaction control, and how a script can be run."""

from __future__ import annotations

import pytest

from rung.errors import StatementMisplaced, UnbalancedTransaction
from rung.script import Control, Mode, read, statement_by_statement

_PREPARED = "PREPARE TRANSACTION would keep our lock, because it leaves a transaction open"


def units(text: str) -> list[tuple[int, int, str]]:
    """A script's units as plain tuples."""
    return [(one.first, one.last, one.transaction) for one in read(text).units]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BEGIN; COMMIT", [Control.BEGIN, Control.COMMIT]),
        ("begin work; end", [Control.BEGIN, Control.COMMIT]),
        ("START TRANSACTION READ ONLY; ABORT WORK", [Control.BEGIN, Control.ROLLBACK]),
        ("BEGIN; COMMIT AND NO CHAIN", [Control.BEGIN, Control.COMMIT]),
        (
            "BEGIN; COMMIT WORK AND CHAIN; END TRANSACTION",
            [Control.BEGIN, Control.COMMIT_CHAIN, Control.COMMIT],
        ),
        (
            "BEGIN; ROLLBACK AND CHAIN; ROLLBACK",
            [Control.BEGIN, Control.ROLLBACK_CHAIN, Control.ROLLBACK],
        ),
        ("COMMIT PREPARED 'a'", [Control.RESOLVE_PREPARED]),
        ("ROLLBACK PREPARED 'a'", [Control.RESOLVE_PREPARED]),
        ("SAVEPOINT a; ROLLBACK TO a; RELEASE a", [None, None, None]),
        ("ROLLBACK WORK TO SAVEPOINT a; ROLLBACK TRANSACTION TO a", [None, None]),
        ("PREPARE a AS SELECT 1; START_IT; DO 'BEGIN; END'", [None, None, None]),
    ],
)
def test_control(text: str, expected: list[Control | None]) -> None:
    """Every spelling of transaction control is known; savepoints are none."""
    assert expected == [one.control for one in read(text).statements]


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("-- a", Mode.TRANSACTIONAL, "it has no statement"),
        ("a; b", Mode.TRANSACTIONAL, "no statement needs to run outside a transaction"),
        ("BEGIN; a; COMMIT", Mode.OWN_TRANSACTION, "its own BEGIN and COMMIT enclose all of it"),
        ("a; BEGIN; b; END", Mode.OWN_TRANSACTION, "END on line 1 commits all of it"),
        ("a; b;\nCOMMIT", Mode.OWN_TRANSACTION, "COMMIT on line 2 commits all of it"),
        (
            "BEGIN; BEGIN; a; COMMIT",
            Mode.OWN_TRANSACTION,
            "its own BEGIN and COMMIT enclose all of it",
        ),
        ("BEGIN; a; ROLLBACK", Mode.UNITS, "its own transaction ends with ROLLBACK on line 1"),
        ("a; ROLLBACK", Mode.UNITS, "its own transaction ends with ROLLBACK on line 1"),
        (
            "BEGIN;\nCOMMIT AND CHAIN;COMMIT",
            Mode.UNITS,
            "COMMIT AND CHAIN on line 2 splits its own transaction",
        ),
        ("BEGIN;COMMIT;BEGIN;END", Mode.UNITS, "it has several transactions of its own"),
        ("BEGIN;COMMIT;END", Mode.UNITS, "it has several transactions of its own"),
        ("BEGIN;\nCOMMIT;a", Mode.UNITS, "statements follow COMMIT on line 2"),
        ("a;\n\nVACUUM", Mode.UNITS, "VACUUM on line 3 cannot run inside a transaction"),
        (
            "a -- rung: no-transaction",
            Mode.UNITS,
            "its directive -- rung: no-transaction asks for it",
        ),
    ],
)
def test_mode(text: str, mode: Mode, reason: str) -> None:
    """A script's mode follows from its statements, with a reason for people."""
    script = read(text)

    assert (mode, reason) == (script.mode, script.reason)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a; b", [(1, 2, "ours")]),
        ("BEGIN; a; END", [(1, 3, "own")]),
        ("a; b; VACUUM; c; d", [(1, 2, "ours"), (3, 3, "none"), (4, 5, "ours")]),
        ("a; BEGIN; b; ROLLBACK; c", [(1, 4, "own"), (5, 5, "ours")]),
        ("a; COMMIT; b; c; BEGIN; d; END; e", [(1, 2, "own"), (3, 7, "own"), (8, 8, "ours")]),
        ("a; ROLLBACK TO b; RELEASE c; ABORT; COMMIT", [(1, 4, "own"), (5, 5, "own")]),
        ("BEGIN; COMMIT AND CHAIN; b; END; VACUUM", [(1, 4, "own"), (5, 5, "none")]),
        ("BEGIN; BEGIN; a; END; b", [(1, 4, "own"), (5, 5, "ours")]),
        (
            "a; COMMIT PREPARED 'a'; ROLLBACK PREPARED 'b'",
            [(1, 1, "ours"), (2, 2, "none"), (3, 3, "none")],
        ),
        (
            "-- rung: no-transaction\na; CALL b(); DO 'c'",
            [(1, 1, "ours"), (2, 2, "none"), (3, 3, "none")],
        ),
        ("-- rung: no-transaction\nBEGIN; a; END", [(1, 3, "own")]),
        (
            "-- rung: no-transaction\na; BEGIN; b; END; c",
            [(1, 1, "ours"), (2, 4, "own"), (5, 5, "ours")],
        ),
    ],
)
def test_units(text: str, expected: list[tuple[int, int, str]]) -> None:
    """What commits together is one unit, and units cover all statements in order."""
    assert expected == units(text)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a;\nBEGIN;\nb", 2, "BEGIN opens a transaction that no COMMIT or ROLLBACK ends"),
        (
            "START TRANSACTION;\nb",
            1,
            "START TRANSACTION opens a transaction that no COMMIT or ROLLBACK ends",
        ),
        (
            "BEGIN;\nCOMMIT AND CHAIN;\nb",
            2,
            "COMMIT AND CHAIN opens a transaction that no COMMIT or ROLLBACK ends",
        ),
        ("ROLLBACK AND CHAIN", 1, "ROLLBACK AND CHAIN has no BEGIN before it"),
        ("BEGIN;\nPREPARE TRANSACTION 'x'", 2, _PREPARED),
        ("PREPARE TRANSACTION 'x'", 1, _PREPARED),
        ("BEGIN;\nEND; BEGIN; a", 2, "BEGIN opens a transaction that no COMMIT or ROLLBACK ends"),
    ],
)
def test_unbalanced(text: str, line: int, problem: str) -> None:
    """A BEGIN without its end, and an AND CHAIN without its BEGIN, are refused."""
    with pytest.raises(UnbalancedTransaction) as caught:
        read(text)

    assert (problem, line) == (caught.value.problem, caught.value.line)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (
            "BEGIN;\nVACUUM;END",
            2,
            "VACUUM cannot run inside a transaction, and BEGIN on line 1 opens one",
        ),
        (
            "BEGIN;END AND CHAIN;\nDROP DATABASE a; END",
            2,
            "DROP DATABASE cannot run inside a transaction, and END AND CHAIN on line 1 opens one",
        ),
    ],
)
def test_misplaced(text: str, line: int, problem: str) -> None:
    """What can never run where it stands is refused while the file is read."""
    with pytest.raises(StatementMisplaced) as caught:
        read(text)

    assert (problem, line) == (caught.value.problem, caught.value.line)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a; b; c", [(1, 1, "ours"), (2, 2, "ours"), (3, 3, "ours")]),
        (
            "a; BEGIN; b; COMMIT; c; END",
            [(1, 1, "ours"), (2, 4, "own"), (5, 5, "ours"), (6, 6, "own")],
        ),
        ("a; VACUUM", [(1, 1, "ours"), (2, 2, "none")]),
    ],
)
def test_statement_by_statement(text: str, expected: list[tuple[int, int, str]]) -> None:
    """Each statement that is a message of its own commits by itself, unless a block is open."""
    found = statement_by_statement(read(text))

    assert expected == [(one.first, one.last, one.transaction) for one in found.units]
