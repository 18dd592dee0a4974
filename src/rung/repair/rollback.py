"""
Find SQL that rolls back a partly run file, and prove that it removes nothing else.

The cheapest check comes first: the texts, then scratch, and only then the live database, in a
transaction that is rolled back. A proved undo begins with locks and counts: it fails if rows were
inserted since.

A rollback is proved only where the history counted each statement that ran, each of them creates
something that cannot have existed before, the down removes schema only, and a dry run on the live
database removed exactly that. Likeness proves nothing: a table that looks as the file would
create it may belong to somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from rung.errors import ScriptError
from rung.repair.cluster_wide import is_cluster_wide, is_outside_snapshots
from rung.repair.completeness import has_no_effect, row_moving_keyword
from rung.repair.model import comparable
from rung.script import Mode, StatementReader, keeps_contents, read
from rung.script.data_loss import MOST_ROWS, DataLoss, data_loss_of, tables_named
from rung.snapshot import differences
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.drivers.contract import Session
    from rung.drivers.inspection import OtherWriters
    from rung.ledger import Attempt
    from rung.repair.model import StateMatch, TrialResult
    from rung.repair.trial_runs import ScratchRunner
    from rung.script import Script, Statement
    from rung.script.data_loss import DryRun
    from rung.snapshot import Snapshot

_TOLERATES_EXISTING = (("IF", "NOT", "EXISTS"), ("OR", "REPLACE"), ("IF", "EXISTS"))
_QUERIES = ("SELECT", "WITH", "VALUES", "TABLE", "EXECUTE")
_COPIES = (*(("AS", word) for word in _QUERIES), *(("AS", "(", word) for word in _QUERIES))
_SETS, _SWITCHES = ("SET", "DROP"), (("ENABLE",), ("DISABLE",), ("FORCE",), ("NO", "FORCE"))
_NO_ROWS = frozenset({"CREATE", "ALTER", "COMMENT", "GRANT", "REVOKE"})
_VISIBLE_ACTIONS = (
    *(("ADD",), ("DROP",), ("VALIDATE", "CONSTRAINT")),
    *((*verb, "ROW", "LEVEL", "SECURITY") for verb in _SWITCHES),
)
"""The actions of ALTER TABLE that a snapshot shows completely."""
_VISIBLE_COLUMN_ACTIONS = (
    *((verb, "NOT", "NULL") for verb in _SETS),
    *((v, "DEFAULT") for v in _SETS),
)
_MAY_DROP = frozenset(
    {
        *("TABLE", "INDEX", "VIEW", "MATERIALIZED", "SEQUENCE", "TYPE", "DOMAIN", "FUNCTION"),
        *("PROCEDURE", "AGGREGATE", "TRIGGER", "POLICY", "RULE", "SCHEMA", "STATISTICS"),
    }
)
_MAY_ALTER = frozenset(
    {
        *("TABLE", "INDEX", "VIEW", "MATERIALIZED", "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE"),
        *("TRIGGER", "POLICY", "SCHEMA"),
    }
)
_CALLS_FUNCTIONS = ("DEFAULT", "CHECK", "GENERATED", "EXCLUDE")
"""Keywords in an ALTER of a down that call functions which were not inspected."""
_LISTED_NAMES = 3
_STORED = "(as stored)"


class Proof(Enum):
    """The outcome of a check."""

    PROVED = "proved"
    REFUTED = "refuted"
    NOT_PROVED = "not proved"


@dataclass(frozen=True, slots=True)
class Rollback:
    """
    Whether the rollback of a partly run file is proved.

    `losses` are the tables and columns that it deletes, with exact counts where it is proved.
    """

    proof: Proof
    reason: str = ""
    """Why it is not proved, or what refutes it; empty where it is proved."""
    losses: tuple[DataLoss, ...] = ()

    @property
    def row_losses(self) -> tuple[DataLoss, ...]:
        """Return those of the losses that are rows, or values of a column."""
        return tuple(loss for loss in self.losses if loss.takes_rows)


def find_rollback(
    finding: StateMatch, runner: ScratchRunner, session: Session, writers: OtherWriters
) -> tuple[str | None, Rollback | None]:
    """
    Return SQL that undoes a partly run up, and its proof; None and None for a down.

    Args:
        finding: the file that ran, and how many of its statements are done.
        runner: runs its down on scratch.
        session: on the dirty database, with the lock held.
        writers: who else may write the history, which says what ran.
    """
    trial = finding.trial
    if trial is None or trial.candidate.direction is Direction.DOWN:
        return None, None
    undo, reason = "", _why_history_is_untrusted(trial.candidate.attempt, writers)
    if not reason:
        undo, reason = _find_undo(finding, runner)
    if not reason:
        script = read(undo, trial.script.dialect)
        reason = why_down_is_unsafe(script)
    if not reason:  # a dry run locks the tables
        named = [DataLoss("table", name) for name in tables_named(script)]
        large = [loss.table for loss in session.estimate(named) if loss.is_minimum]
        reason = f"table {large[0]} has more than {MOST_ROWS:,} rows" if large else ""
    if reason:
        return None, Rollback(Proof.NOT_PROVED, reason)
    dry_runs = session.capabilities.dry_runs
    assert dry_runs is not None
    rollback = judge_dry_run(finding, dry_runs.dry_run(script, tables_named(script)))
    if rollback.proof is Proof.PROVED:
        rollback = with_counts(rollback, session.estimate(rollback.losses))
    if rollback.proof is not Proof.PROVED:
        return None, rollback
    return dry_runs.row_guard(rollback.losses) + undo, rollback


def _why_history_is_untrusted(attempt: Attempt | None, writers: OtherWriters) -> str:
    """Return why the history proves nothing: others could write it; empty where they could not."""
    if attempt is None:
        return ""
    if writers.history:
        return f"other roles may write the history ({writers.history[0]})"
    if writers.closed_after is None or attempt.id <= writers.closed_after:
        return "other roles could write the history when it recorded this attempt"
    return ""


def _find_undo(finding: StateMatch, runner: ScratchRunner) -> tuple[str, str]:
    """Return SQL that restores the schema before the file on scratch, or why there is none."""
    if reason := why_file_is_unproved(finding):
        return "", reason
    assert finding.trial is not None
    down = finding.trial.candidate.migration.down
    if down is not None and down.file.endswith(_STORED):
        return "", "its down is stored, but its file is gone"
    try:
        undo = runner.find_undo(finding)
    except ScriptError as error:
        return "", f"its down cannot be parsed: {error}"
    if undo is None:
        return "", "no part of its down restores the previous schema on scratch"
    return undo, ""


def why_file_is_unproved(finding: StateMatch) -> str:
    """Return why the file is not proved to have created what is there; empty where it is."""
    trial = finding.trial
    attempt = trial.candidate.attempt if trial else None
    if trial is None or attempt is None:
        return "no attempt in the history shows what this file created"
    done = finding.done or 0
    if attempt.statements_done != done:
        return f"the history counted {attempt.statements_done} statements, the schema shows {done}"
    last = finding.partial or done
    reasons = (doubt for one in trial.script.statements[:last] for doubt in _doubts(trial, one))
    return next(reasons, "")


def _doubts(trial: TrialResult, statement: Statement) -> Iterator[str]:
    """Yield why a statement that ran may have done more or less than create something new."""
    if has_no_effect(statement) or keeps_contents(statement):
        return
    script, first = trial.script, (*statement.words, "")[0]
    reader, which = StatementReader(script, statement), f"statement {statement.number}"
    if words := next((words for words in _TOLERATES_EXISTING if reader.holds(*words)), None):
        yield f"{which} may have found its object existing already ({' '.join(words)})"
    if first not in _NO_ROWS:
        named = f"{which} ({first})" if first else which
        yield f"{named} may have changed rows, which a rollback does not restore"
    if data_loss_of(script, statement) or row_moving_keyword(script, statement):
        yield f"{which} removed, moved or changed values, which a rollback does not restore"
    if first == "ALTER" and not is_visible_alter(script, statement):
        yield (f"{which} ({' '.join(statement.words[:2])}) is not completely visible in the schema")
    copies = first == "CREATE" and any(reader.holds(*words) for words in _COPIES)
    if copies and statement.words[:2] != ("CREATE", "VIEW"):
        yield f"{which} copied rows"
    text = script.text[statement.start : statement.end]
    beyond = is_cluster_wide(statement) or is_outside_snapshots(statement, text)
    if beyond or not trial.leaves_trace(statement.number):
        yield f"{which} ({first}) leaves no trace in the schema"


def is_visible_alter(script: Script, statement: Statement) -> bool:
    """
    Report whether a statement is an ALTER TABLE whose actions a snapshot shows completely.

    False with a computed default: it may call a function with any effect.
    """
    reader = StatementReader(script, statement)
    if not reader.take("ALTER", "TABLE"):
        return False
    reader.take("IF", "EXISTS")
    reader.take("ONLY")
    reader.name()
    reader.take("*")
    more = True
    while more:
        if reader.take("ALTER"):
            reader.take("COLUMN")
            reader.name()
            shown = any(reader.take(*words) for words in _VISIBLE_COLUMN_ACTIONS)
        else:
            shown = any(reader.take(*words) for words in _VISIBLE_ACTIONS)
        if not shown:
            return False
        more = reader.step_over_comma()
    computed = StatementReader(script, statement)
    return not (computed.step_behind("DEFAULT") and "(" in computed.rest().split())


def why_down_is_unsafe(undo: Script) -> str:
    """Return why an undo must not run on the live database; empty where it may."""
    if undo.mode is not Mode.TRANSACTIONAL:
        return f"the rollback cannot run in one transaction: {undo.reason}"
    reasons = (_why_statement_is_unsafe(undo, one) for one in undo.statements)
    return next(filter(None, reasons), "")


def _why_statement_is_unsafe(undo: Script, statement: Statement) -> str:
    which = f"statement {statement.number} of the rollback"
    if statement.control is not None:
        return f"{which} controls transactions"
    if statement.session_only or statement.words[:1] in {("SET",), ("RESET",)}:
        return ""
    first, kind = (*statement.words, "", "")[:2]
    reader = StatementReader(undo, statement)
    if first in ("COMMENT", "GRANT", "REVOKE") or (first == "DROP" and kind in _MAY_DROP):
        return ""
    if first == "ALTER" and kind in _MAY_ALTER:
        if found := next(
            filter(reader.holds, _CALLS_FUNCTIONS), row_moving_keyword(undo, statement)
        ):
            return f"{which} computes or moves rows ({found})"
        shown = kind != "TABLE" or is_visible_alter(undo, statement)
        return (
            "" if shown else (f"{which} ({first} {kind}) is not completely visible in the schema")
        )
    return f"{which} ({first} {kind}".rstrip() + ") is more than a change of schema"


def judge_dry_run(finding: StateMatch, ran: DryRun) -> Rollback:
    """
    Return what a dry run on the live database proves; its losses are not counted yet.

    Args:
        finding: the file that ran, with its states on scratch.
        ran: the live schema before and after the undo.
    """
    trial = finding.trial
    assert trial is not None
    if ran.reason or ran.before is None or ran.after is None:
        return Rollback(Proof.NOT_PROVED, ran.reason or "there was no dry run")
    live, after = comparable(ran.before), comparable(ran.after)
    if unexpected := list(_unexpected_changes(finding, trial, live, after)):
        return Rollback(Proof.REFUTED, f"it would change or remove {_list_names(unexpected)} too")
    if older := [str(one) for one in ran.gone if not one.since]:
        return Rollback(
            Proof.REFUTED,
            (f"{_list_names(older)} may be older than the attempt, and would be dropped"),
        )
    if foreign := [str(one) for one in ran.gone if one.kind == "foreign table"]:
        return Rollback(
            Proof.NOT_PROVED, (f"{_list_names(foreign)} would be dropped, and cannot be counted")
        )
    kinds = ("table", "materialized view", "column")
    gone = (DataLoss(one.kind, one.name, one.column) for one in ran.gone if one.kind in kinds)
    return Rollback(Proof.PROVED, losses=tuple(gone))


def _unexpected_changes(
    finding: StateMatch, trial: TrialResult, live: Snapshot, after: Snapshot
) -> Iterator[str]:
    """Yield the objects that the undo leaves unlike before the file, or that are not the file's."""
    states = {(state.done, state.partial): state.snapshot for state in trial.states}
    before, partial = states[0, None], states[finding.done or 0, finding.partial]
    expected = {one.identity for one in differences(partial, before)}
    changed = {one.identity for one in differences(live, after)}
    for identity in sorted(changed | expected):
        is_restored = after.objects.get(identity) == before.objects.get(identity)
        if identity not in expected or not is_restored:
            yield identity


def with_counts(rollback: Rollback, losses: tuple[DataLoss, ...]) -> Rollback:
    """Return a proved rollback with exact counts; not proved where something was not counted."""
    if unknown := [str(loss) for loss in losses if loss.unknown_reason or loss.is_minimum]:
        return Rollback(Proof.NOT_PROVED, f"{_list_names(unknown)} would be dropped", losses)
    return Rollback(rollback.proof, rollback.reason, losses)


def _list_names(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED_NAMES} more" if len(names) > _LISTED_NAMES else ""
    return ", ".join(names[:_LISTED_NAMES]) + more
