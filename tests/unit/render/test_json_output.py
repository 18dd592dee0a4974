"""The JSON of every command, as promised in docs/reference/json.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.render.samples import (
    EDITED,
    ERRORS,
    HEALTH,
    HISTORY,
    REPORT,
    STATUS,
    UNSETTLED,
    late_preview,
    preview,
)
from tests.unit.repair.cases import candidate, snapshot, tried

from rung.certify import Certificate
from rung.certify.faults import FaultKind, InjectedFault, Run
from rung.certify.invariants import Invariant, Violation
from rung.certify.results import FaultResult, add_up
from rung.drivers.inspection import LockHolder
from rung.errors import VersionNotReached
from rung.execution.admin import Marked
from rung.execution.wait import Waited
from rung.ledger import LedgerState
from rung.planning.plan import Down, Up
from rung.render import json_output as shapes
from rung.render.verify import verification
from rung.repair import Diagnosis, Proof, Rollback, judge, propose, report_statements
from rung.script.data_loss import DataLoss
from rung.snapshot import SchemaObject, Snapshot
from rung.source import Migration, MigrationFile
from rung.verify.model import Fix, MigrationProof, ProofOutcome, SchemaChange, VerifyReport

_ROOT = Path(__file__).parents[3]
_GOLDEN = _ROOT / "tests" / "golden" / "cli"

_REFUSED = (
    ("out-of-order-migrations", 3),
    ("edited-migrations", 3),
    ("missing-migration-file", 5),
    ("unversioned-database", 1),
    ("stored-sql-unusable", 1),
    ("pooled-connection", 1),
)

_RAN = tried(
    candidate("CREATE TABLE a (x int);\nUPDATE users SET x = 1;\nCREATE TABLE b (x int);"),
    "table a",
    "",
    failure='line 3: relation "b" already exists (SQLSTATE 42P07)',
)
_FOUND = judge([[_RAN]], snapshot("table a", "table notes"), 2)
_DIRTY = LedgerState(2, dirty=True)
_PROVED = Rollback(Proof.PROVED, losses=(DataLoss("table", "public.a").counted(2),))
DIAGNOSIS = Diagnosis(
    _DIRTY,
    "PostgreSQL 15.18",
    _FOUND,
    report_statements(_FOUND),
    propose(_FOUND, _DIRTY, "DROP TABLE a;", _PROVED),
    rollback=_PROVED,
)

_FAULT = InjectedFault(Run("migrations", "migrations", "up"), FaultKind.KILL, 0.25)
_WRONG = Violation(Invariant.ONCE, "in the end: users has 2 rows, without faults 1")
_CERTIFICATE = Certificate(
    *add_up(
        [
            FaultResult(
                _FAULT,
                injected=True,
                dirty=True,
                violations=(_WRONG,),
                undecided="no repair is proposed: x",
            )
        ]
    ),
    left_out=("migrations, down: there is no down of 3",),
    seed=42,
    seconds=1.5,
    server="18.6",
)

STALE = LockHolder(
    77,
    "ada",
    "rung 0.1.0",
    "box",
    "2026-03-04 05:06:07 UTC",
    61.5,
    "6ec5a9ab-4f49-4f0e-9a3c-1e2c5dbe4b43",
    stale=True,
    until="2026-03-04 05:06:37+00",
)
_BEFORE = Snapshot.of([SchemaObject("table public.app", ""), SchemaObject("index public.i", "x")])
_AFTER = Snapshot.of(
    [
        SchemaObject("table public.app", ""),
        SchemaObject("constraint k on public.app", "CHECK ((a > 1))", "table public.app"),
    ]
)
_VERIFIED = VerifyReport(
    (
        MigrationProof(
            Migration(370, MigrationFile("370_split_name.up.sql", "split_name", "")),
            ProofOutcome.REFUTED,
            after_down=SchemaChange.between(_BEFORE, _AFTER),
            fix=Fix("ALTER TABLE public.app DROP CONSTRAINT k;\n"),
        ),
    ),
    371,
    "PostgreSQL 15.18",
    "rights of an owner",
    seconds=1.5,
)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "up": ("up", shapes.report(REPORT)),
    "version": ("version", shapes.version(LedgerState(7))),
    "version-none": ("version", shapes.version(LedgerState(-1, dirty=True))),
    "wait": ("wait", shapes.waited(Waited(7, dirty=False, waited_seconds=3.25))),
    "status": ("status", shapes.status(STATUS)),
    "check": ("check", shapes.check(UNSETTLED, 5)),
    "doctor": ("doctor", shapes.health(HEALTH, 4)),
    "accept-edit": ("accept-edit", shapes.accepted(3, (EDITED,))),
    "unlock": ("unlock", shapes.unlocked(STALE)),
    "unlock-free": ("unlock", shapes.unlocked(None)),
    "mark-applied": ("mark-applied", shapes.marked(Marked((3,), (), 7, 7))),
    "history": ("history", shapes.history(HISTORY)),
    "plan-up": ("plan", shapes.preview(preview(Up(), None))),
    "plan-down": ("plan", shapes.preview(preview(Down(None), 1))),
    "plan-late": ("plan", shapes.preview(late_preview())),
    "verify": ("verify", verification(_VERIFIED, 10)),
    "certify": ("certify", shapes.certificate(_CERTIFICATE, 9)),
    "create": ("create", shapes.created(Path("m/000001_x.up.sql"), Path("m/000001_x.down.sql"))),
    "repair": ("repair", shapes.diagnosis(DIAGNOSIS, done=False)),
    "repair-clean": ("repair", shapes.clean(LedgerState(7))),
    "force": ("force", shapes.version(LedgerState(3))),
    "drop": ("drop", {"dropped": shapes.losses((DataLoss("table", "public.users", "", 1200),))}),
    "error-migration-failed": ("up", shapes.error(ERRORS["migration-failed"], 1)),
    "error-dirty-ledger": ("up", shapes.error(ERRORS["dirty-ledger"], 4)),
    "error-lock-not-acquired": ("up", shapes.error(ERRORS["lock-not-acquired"], 6)),
    **{f"error-{name}": ("up", shapes.error(ERRORS[name], code)) for name, code in _REFUSED},
    "error-version-not-reached": (
        "wait",
        shapes.error(VersionNotReached(8, 7, dirty=False, waited=60.0), 3),
    ),
    "error-stopped": ("up", shapes.error(ERRORS["stopped"], 143)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_shape_is_as_promised(case: str) -> None:
    """Names, nesting, and how times, enums and unknowns are written."""
    expected = (_GOLDEN / f"{case}.json").read_text()

    assert expected == shapes.dumps(*CASES[case]) + "\n"


@pytest.mark.parametrize("case", CASES)
def test_a_shape_is_documented_by_its_example(case: str) -> None:
    """The page shows what is really printed."""
    page = (_ROOT / "docs" / "reference" / "json.md").read_text()

    assert (_GOLDEN / f"{case}.json").read_text() in page


@pytest.mark.parametrize("case", CASES)
def test_every_object_says_its_version_and_command(case: str) -> None:
    """So that a reader of a log knows what it has before it."""
    command, content = CASES[case]
    found = json.loads(shapes.dumps(command, content))

    assert (1, command) == (found["rung"], found["command"])


def test_what_json_cannot_hold_becomes_text() -> None:
    """Rather than an error in the middle of an error."""
    assert shapes.plain({1: Path("a"), "b": (True, None)}) == {"1": "a", "b": [True, None]}
