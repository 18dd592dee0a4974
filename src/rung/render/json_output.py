"""
Results and errors as plain dicts, ready for JSON. The shapes are a promise: docs/reference/json.md.

Every object has `rung`, the version of these shapes. Times are UTC in ISO 8601, durations
are seconds, versions are integers, and what is not known is null.
"""

from __future__ import annotations

import re
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from rung.escaping import escaped_json
from rung.ledger import LedgerState
from rung.script import redacted_definition, redacted_sql, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from rung.certify import Certificate
    from rung.diagnostics import Diagnostics
    from rung.drivers.inspection import LockHolder
    from rung.errors import EditedFile, RungError
    from rung.execution.admin import Marked
    from rung.execution.outcomes import RunReport
    from rung.execution.preflight import PreparedStep
    from rung.execution.run import PlanPreview
    from rung.execution.wait import Waited
    from rung.ledger import Attempt
    from rung.planning.status import Status
    from rung.repair import Action, Diagnosis
    from rung.repair.model import StatementReport
    from rung.script.data_loss import DataLoss
    from rung.snapshot import Difference

SHAPES = 1
_NOT_FACTS = frozenset({"now", "place", "message", "remedy", "unlocking"})
"""Facts that only make up the texts."""
_NOT_SHOWN = ("sql",)
"""The field of a location that can be as long as a file."""
_ADVICE = frozenset({"hint", "database", "notes", "warnings", "fix"})
"""The keys whose texts name commands."""
_OF_HOLDER = {
    "silent": "heartbeat_age_seconds",
    "stale": "expired",
    "until": "expires",
    "ending": "end_command",
    "idle": "idle_seconds",
}
"""The facts about a lock holder that have another name in JSON."""
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def dumps(command: str, content: dict[str, Any], completed: Callable[[str], str] = str) -> str:
    """
    One object as text, under the version of the shapes and the command's name.

    Args:
        command: its name.
        content: the object.
        completed: adds a call's options to the commands that its advice names.
    """
    import json

    whole = _advised(plain({"rung": SHAPES, "command": command, **content}), completed)
    return escaped_json(json.dumps(whole, indent=2, ensure_ascii=False))


def _advised(value: Any, completed: Callable[[str], str], key: str = "") -> Any:  # noqa: ANN401 - what JSON can hold
    if isinstance(value, dict):
        return {name: _advised(item, completed, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_advised(item, completed, key) for item in value]
    if not isinstance(value, str) or key not in _ADVICE:
        return value
    if key == "fix" and value.startswith("rung "):
        return completed(f"`{value}`").split("`")[1]
    return completed(value)


def plain(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    """Convert a value of ours into dicts, lists, texts and numbers."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if hasattr(value, "_asdict"):
        value = value._asdict()
    elif is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


def version(ledger: LedgerState) -> dict[str, Any]:
    """Return what `version` prints."""
    return {"version": ledger.version, "dirty": ledger.dirty}


def waited(found: Waited) -> dict[str, Any]:
    """Return what `wait` prints."""
    return found._asdict()


def report(run: RunReport) -> dict[str, Any]:
    """What `up`, `down` and `goto` print."""
    return {
        "version": run.version,
        "steps": run.steps,
        "missing_steps": run.missing_steps,
        "waited_seconds": run.waited_seconds,
    }


def status(found: Status) -> dict[str, Any]:
    """Return what `status` prints."""
    return {
        "database": found.database,
        "schema": found.schema,
        "server": found.server,
        "source": found.source,
        **version(found.ledger),
        "ledger_exists": found.ledger_exists,
        "history_exists": found.history_exists,
        "pending": found.pending,
        "migrations": found.lines,
        "warnings": found.warnings,
        "notes": found.notes,
    }


def check(found: Status, exit_code: int) -> dict[str, Any]:
    """Return what `check` prints."""
    return {
        **version(found.ledger),
        "exit_code": exit_code,
        "problems": found.problems,
        "undeclared": found.undeclared,
        "empty_downs": found.empty_downs,
        "edited_downs": found.edited_downs,
        "unreadable_downs": found.unreadable_downs,
        "notes": found.notes,
    }


def health(found: Diagnostics, exit_code: int) -> dict[str, Any]:
    """Return what `doctor` prints."""
    return {
        "database": found.database,
        "dirty": found.dirty,
        "exit_code": exit_code,
        "problems": found.problems,
    }


def accepted(version: int, edits: Iterable[EditedFile]) -> dict[str, Any]:
    """Return what `accept-edit` prints."""
    return {"version": version, "edits": list(edits)}


def unlocked(holder: LockHolder | None) -> dict[str, Any]:
    """Return what `unlock` prints."""
    if holder is None:
        return {"broken": False, "holder": None}
    facts = {_OF_HOLDER.get(name, name): value for name, value in asdict(holder).items()}
    return {"broken": True, "holder": facts}


def marked(found: Marked) -> dict[str, Any]:
    """Return what `mark-applied` prints."""
    return found._asdict()


def history(entries: Iterable[Attempt]) -> dict[str, Any]:
    """Return what `history` prints."""
    return {"attempts": [asdict(entry) | {"outcome": entry.result} for entry in entries]}


def preview(found: PlanPreview) -> dict[str, Any]:
    """Return what `plan` prints."""
    return {
        **version(found.plan.made_for),
        "target": found.plan.target,
        "missing_steps": found.plan.missing_steps,
        "ahead": found.plan.ahead,
        "atomic": found.atomic,
        "steps": [_step(item) for item in found.prepared],
        "data_loss": losses(found.losses),
    }


def _step(item: PreparedStep) -> dict[str, Any]:
    script = item.script
    secrets = secrets_of(script)
    return {
        "version": item.step.version,
        "name": item.step.title,
        "direction": item.step.direction,
        "file": item.file,
        "before": item.step.before,
        "after": item.step.after,
        "statements_done": item.step.done,
        "result": item.result,
        "stored": item.step.stored,
        "mode": script.mode,
        "reason": script.reason,
        "new_value": item.new_value or None,
        "golang_migrate_rejects": item.golang_migrate_refuses or None,
        "units": script.units,
        "statements": [
            {
                "number": statement.number,
                "line": statement.line,
                "sql": redacted_sql(script, statement.start, statement.end, secrets),
            }
            for statement in script.statements
        ],
    }


def losses(gone: Iterable[DataLoss]) -> list[dict[str, Any]]:
    """Return the data that would be lost, or was."""
    return [
        {
            "kind": loss.kind,
            "table": loss.table,
            "column": loss.column or None,
            "rows": loss.rows,
            "is_minimum": loss.is_minimum,
            "unknown_reason": loss.unknown_reason or None,
        }
        for loss in gone
    ]


def certificate(found: Certificate, exit_code: int) -> dict[str, Any]:
    """Return what `certify` prints."""
    return {
        "exit_code": exit_code,
        "server": found.server,
        "seed": found.seed,
        "seconds": found.seconds,
        "injected": found.injected,
        "faults": [
            {"source": name, "direction": direction, "kind": kind.name.lower(), **asdict(count)}
            for (name, direction, kind), count in found.counts.items()
        ],
        "violations": [
            {
                "invariant": violation.invariant.name.lower(),
                "description": violation.told,
                "source": fault.run.name,
                "direction": fault.run.direction,
                "kind": fault.kind.name.lower(),
                "point": fault.point,
            }
            for fault, violation in found.findings
        ],
        "undecided": [
            {
                "description": told,
                "source": fault.run.name,
                "direction": fault.run.direction,
                "kind": fault.kind.name.lower(),
                "point": fault.point,
            }
            for fault, told in found.questions
        ],
        "left_out": found.left_out,
    }


def created(up: Path, down: Path) -> dict[str, Any]:
    """Return what `create` prints."""
    return {"up": str(up), "down": str(down)}


def clean(ledger: LedgerState) -> dict[str, Any]:
    """Return what `repair` prints for a clean database."""
    return {**version(ledger), "repaired": False, "diagnosis": None}


def diagnosis(found: Diagnosis, *, done: bool) -> dict[str, Any]:
    """Return what `repair` prints for a dirty one."""
    after = LedgerState(found.action.version) if found.action and done else found.ledger
    finding, candidate, action = found.finding, found.candidate, found.action
    shown = {
        "scratch": found.scratch,
        "file": candidate.file if candidate else None,
        "version": candidate.version if candidate else None,
        "direction": candidate.direction if candidate else None,
        "recorded": bool(candidate and candidate.attempt),
        "statements_done": finding.done,
        "invalid_index_statement": finding.partial,
        "evidence": finding.evidence,
        "statements": [_statement(one) for one in found.statements],
        "undecided_statements": finding.undecided,
        "differences": [masked_difference(one) for one in finding.differences],
        "drift": finding.drift,
        "reason": found.reason,
        "hint": found.advice,
        "action": action and _action(action),
        "rollback": found.rollback
        and {
            "proof": found.rollback.proof,
            "reason": found.rollback.reason,
            "data_loss": losses(found.rollback.losses),
        },
    }
    return {**version(after), "repaired": done, "diagnosis": shown}


def _statement(found: StatementReport) -> dict[str, Any]:
    return {
        "number": found.number,
        "line": found.line,
        "sql": found.sql,
        "state": found.state,
        "leaves_trace": found.trace,
    }


def masked_difference(found: Difference) -> dict[str, Any]:
    """Return a difference without the passwords that a function's body may hold."""
    before, after = (text and redacted_definition(text) for text in (found.before, found.after))
    return {"identity": found.identity, "before": before, "after": after}


def _action(action: Action) -> dict[str, Any]:
    return {
        "kind": action.kind,
        "version": action.version,
        "description": action.description,
        "sql": action.sql,
        "caution": action.caution,
        "data_loss": losses(action.losses),
    }


def error(failure: RungError, exit_code: int) -> dict[str, Any]:
    """Return what any command prints when it fails: texts, location, and the error's own facts."""
    where = failure.where._asdict() if failure.where else None
    texts = {
        "code": _WORD.sub("-", type(failure).__name__).lower(),
        "exit_code": exit_code,
        "cause": failure.cause,
        "where": where and {key: where[key] for key in where if key not in _NOT_SHOWN},
        "detail": failure.detail,
        "database": failure.database,
        "hint": failure.hint,
    }
    facts = {one.name: getattr(failure, one.name) for one in fields(failure)}
    return {"error": texts | {key: facts[key] for key in facts if key not in _NOT_FACTS}}
