"""The public names, as text: who changes them changes this."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module

import pytest

import rung
from rung.events import ignore

NAMES = [
    "Absent",
    "Attempt",
    "CancelToken",
    "DataLoss",
    "Database",
    "Diagnostics",
    "Down",
    "DownOptions",
    "Event",
    "ExpectedName",
    "Goal",
    "Goto",
    "IfAhead",
    "LedgerState",
    "Listener",
    "LockHolder",
    "Marked",
    "MigrationFailed",
    "Migrator",
    "Outcome",
    "Plan",
    "PlanPreview",
    "PreparedStep",
    "Problem",
    "Redo",
    "RunError",
    "RunReport",
    "RungError",
    "Status",
    "StatusLine",
    "Step",
    "StepReport",
    "StoredDownSql",
    "Up",
    "Waited",
    "__version__",
    "run_migrations",
    "run_migrations_async",
]

SIGNATURES = {
    "run_migrations": (
        "(database: 'str | Database', source: 'str | os.PathLike[str]', *, "
        "listener: 'Listener' = ignore, "
        "stop: 'CancelToken | None' = None, wait_for_lock: 'float | None' = None, "
        "lock_timeout: 'float | None' = None, lock_retry_for: 'float | None' = 600.0, "
        "cancel_blockers: 'Sequence[str]' = (), "
        "allow_out_of_order: 'Sequence[int]' = (), if_ahead: 'IfAhead' = 'compatible') "
        "-> 'RunReport'"
    ),
    "run_migrations_async": (
        "(database: 'str | Database', source: 'str | os.PathLike[str]', *, "
        "listener: 'Listener' = ignore, "
        "stop: 'CancelToken | None' = None, wait_for_lock: 'float | None' = None, "
        "lock_timeout: 'float | None' = None, lock_retry_for: 'float | None' = 600.0, "
        "cancel_blockers: 'Sequence[str]' = (), "
        "allow_out_of_order: 'Sequence[int]' = (), if_ahead: 'IfAhead' = 'compatible') "
        "-> 'RunReport'"
    ),
    "Migrator": (
        "(database: 'str | Database', source: 'str | os.PathLike[str]', *, "
        "listener: 'Listener' = ignore, "
        "stop: 'CancelToken | None' = None, wait_for_lock: 'float | None' = None, "
        "atomic: 'bool' = False, "
        "lock_timeout: 'float | None' = None, lock_retry_for: 'float | None' = 600.0, "
        "cancel_blockers: 'Sequence[str]' = ()) -> 'None'"
    ),
    "Migrator.version": "(self) -> 'LedgerState'",
    "Migrator.status": "(self) -> 'Status'",
    "Migrator.history": "(self) -> 'tuple[Attempt, ...]'",
    "Migrator.plan": "(self, goal: 'Goal | None' = None) -> 'PlanPreview'",
    "Migrator.absent": "(self) -> 'Absent'",
    "Migrator.wait": (
        "(self, version: \"int | Literal['newest'] | None\" = None, "
        "timeout: 'float | None' = None) -> 'Waited'"
    ),
    "Migrator.up": (
        "(self, limit: 'int | None' = None, *, allow_out_of_order: 'Sequence[int]' = (), "
        "if_ahead: 'IfAhead' = 'compatible', resume: 'bool' = False, atomic: 'bool' = False) "
        "-> 'RunReport'"
    ),
    "Migrator.run": (
        "(self, goal: 'Goal', *, expected: 'Plan | None' = None, "
        "confirm: 'Callable[[PlanPreview], Goal] | None' = None) -> 'RunReport'"
    ),
    "Migrator.goto": (
        "(self, version: 'int', *, allow_out_of_order: 'Sequence[int]' = ()) -> 'RunReport'"
    ),
    "Migrator.edited": "(self, version: 'int') -> 'tuple[EditedFile, ...]'",
    "Migrator.accept_edit": (
        "(self, version: 'int', *, expected: 'tuple[EditedFile, ...] | None' = None, "
        "confirm: 'Callable[[tuple[EditedFile, ...]], None] | None' = None) "
        "-> 'tuple[EditedFile, ...]'"
    ),
    "Migrator.force": (
        "(self, version: 'int | None', *, allow_missing_file: 'bool' = False, "
        "new_ledger: 'bool' = False) -> 'None'"
    ),
    "Migrator.drop": (
        "(self, *, expected: 'tuple[DataLoss, ...] | None' = None, "
        "confirm: 'Callable[[tuple[DataLoss, ...]], None] | None' = None) "
        "-> 'tuple[DataLoss, ...]'"
    ),
}


def test_the_public_names() -> None:
    """`rung` exports these names and no others."""
    assert rung.__all__ == NAMES
    assert dir(rung) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there(name: str) -> None:
    """Each name leads to what it names, and stays found."""
    assert getattr(rung, name) is getattr(rung, name) is not None


def test_other_names_are_not() -> None:
    """A name that is not public is Python's own error."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(rung, "nothing")  # noqa: B009 - the type checker knows as well


def test_type_checkers_see_the_same() -> None:
    """What type checkers are told comes from where the name is loaded from."""
    tree = ast.parse(inspect.getsource(rung))
    told = {
        name.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }

    assert told == vars(rung)["_HOMES"]
    assert all(hasattr(import_module(home), name) for name, home in told.items() if home)


@pytest.mark.parametrize(("name", "expected"), SIGNATURES.items())
def test_signatures(name: str, expected: str) -> None:
    """What callers write goes on to work: names, order and defaults of the arguments."""
    value: object = rung
    for part in name.split("."):
        value = getattr(value, part)
    assert callable(value)
    found = str(inspect.signature(value))

    assert found.replace(f"{ignore!r}", "ignore") == expected
