"""Every error of the tree has one exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rung import errors
from rung.cli.exit_codes import ExitCode, exit_code_of
from rung.errors import MigrationFailed, MissingMigrationFile, ServerMessage, SourceLocation


def _failed(*, dirty: bool, locked: tuple[str, ...] = ()) -> MigrationFailed:
    place, server = SourceLocation("1_a.up.sql", 1), ServerMessage("no")
    facts = {"version": 1, "direction": "up", "place": place, "server": server}
    return MigrationFailed((), "now", dirty=dirty, locked=locked, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), ExitCode.USAGE),
        (errors.ConfirmationRequired("x"), ExitCode.USAGE),
        (errors.SourceNotFound("m", "x"), ExitCode.USAGE),
        (errors.DriverMissing("x"), ExitCode.USAGE),
        (errors.DirtyLedger(3), ExitCode.DIRTY),
        (_failed(dirty=True), ExitCode.DIRTY),
        (_failed(dirty=False), ExitCode.FAILED),
        (_failed(dirty=False, locked=("Held by process 7",)), ExitCode.LOCKED),
        (_failed(dirty=True, locked=("Held by process 7",)), ExitCode.DIRTY),
        (MissingMigrationFile(9, "ledger", (1, 2)), ExitCode.AHEAD),
        (MissingMigrationFile(2, "ledger", (1, 3)), ExitCode.PENDING),
        (MissingMigrationFile(9, "target", (1, 2)), ExitCode.FAILED),
        (errors.OutOfOrderMigrations((2,), ("2_a.up.sql",), 3, (3,)), ExitCode.PENDING),
        (errors.EditedMigrations(()), ExitCode.PENDING),
        (errors.VersionNotReached(8, 7, dirty=False, waited=1.0), ExitCode.PENDING),
        (errors.UnversionedDatabase("public", ("users",)), ExitCode.FAILED),
        (errors.StoredSqlUnusable(9, "was not kept"), ExitCode.FAILED),
        (errors.PooledConnection("x"), ExitCode.FAILED),
        (errors.LockNotAcquired(1.0), ExitCode.LOCKED),
        (errors.LockLost((), "now", 1, "1_a.up.sql"), ExitCode.LOCKED),
        (errors.DatabaseBusy(label="chat.db", said="locked", waited=5.0), ExitCode.LOCKED),
        (errors.ConnectionFailed("x"), ExitCode.NO_CONNECTION),
        (errors.ConnectionLost((), "now", 1, "x"), ExitCode.NO_CONNECTION),
        (errors.EmptySource("m"), ExitCode.FAILED),
        (errors.QueryFailed("x"), ExitCode.FAILED),
    ],
)
def test_an_error_has_its_code(error: errors.RungError, code: ExitCode) -> None:
    """By its class, and where the class does not tell, by its facts."""
    assert code == exit_code_of(error)


def test_the_codes_are_promised() -> None:
    """Scripts rely on the numbers."""
    expected = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 130, 143]

    assert expected == [code.value for code in ExitCode]


def test_every_code_is_documented() -> None:
    """In the table of docs/reference/exit-codes.md, in order, with its docstring."""
    page = (Path(__file__).parents[3] / "docs" / "reference" / "exit-codes.md").read_text()
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", page, re.MULTILINE)

    assert rows == [(str(code.value), code.__doc__) for code in ExitCode]
