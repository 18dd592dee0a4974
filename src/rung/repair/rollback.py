"""
Whether what is there of a file may be rolled back without losing a row. Pure.

A rollback is proved only where the history counted each statement that ran, each of them makes
something and cannot have found it there, the down takes schema away and nothing else, and a dry
run on the live database took away exactly that. A likeness proves nothing: a table that looks as
the file would make it may be somebody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from rung.repair.cluster_wide import is_not_compared, reaches_beyond
from rung.repair.progress import leaves_nothing, moved_by
from rung.script import Mode, StatementReader
from rung.script.data_loss import DataLoss, data_loss_of
from rung.snapshot import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.repair.model import StateMatch, TrialResult
    from rung.script import Script, Statement
    from rung.script.data_loss import DryRun
    from rung.snapshot import Snapshot

_FOUND_THERE = (("IF", "NOT", "EXISTS"), ("OR", "REPLACE"), ("IF", "EXISTS"))
_QUERIES = ("SELECT", "WITH", "VALUES", "TABLE", "EXECUTE")
_COPIES = (*(("AS", word) for word in _QUERIES), *(("AS", "(", word) for word in _QUERIES))
_SETS, _SWITCHES = ("SET", "DROP"), (("ENABLE",), ("DISABLE",), ("FORCE",), ("NO", "FORCE"))
_NO_ROWS = frozenset(
    {"CREATE", "ALTER", "COMMENT", "GRANT", "REVOKE", "VACUUM", "ANALYZE", "REINDEX", "CHECKPOINT"}
)
_NO_TRACE = frozenset({"VACUUM", "ANALYZE", "REINDEX", "CHECKPOINT"})
"""Harmless, though no snapshot shows them."""
_SHOWN = (
    *(("ADD",), ("DROP",), ("VALIDATE", "CONSTRAINT")),
    *((*verb, "ROW", "LEVEL", "SECURITY") for verb in _SWITCHES),
)
"""The actions of ALTER TABLE that a snapshot shows whole."""
_SHOWN_OF_COLUMN = (*((verb, "NOT", "NULL") for verb in _SETS), *((v, "DEFAULT") for v in _SETS))
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
_COMPUTES = ("DEFAULT", "CHECK", "GENERATED", "EXCLUDE")
"""In a down's ALTER: calls functions that nobody has looked at."""
_MANY = 3


class Proof(Enum):
    """What a check came to."""

    PROVED = "proved"
    REFUTED = "refuted"
    NOT_PROVED = "not proved"


@dataclass(frozen=True, slots=True)
class Rollback:
    """
    What is known of rolling back what is there of a file.

    `losses` are the tables and columns that it takes away, with exact counts where it is proved.
    """

    proof: Proof
    reason: str = ""
    """Why it is not proved, or what refutes it; empty where it is proved."""
    losses: tuple[DataLoss, ...] = ()

    @property
    def costs(self) -> tuple[DataLoss, ...]:
        """Those of its losses that are rows, or values of a column."""
        return tuple(loss for loss in self.losses if loss.takes_rows)


def why_not_the_file(finding: StateMatch) -> str:
    """Why what ran of a file is not proved to be its own work; empty where it may be."""
    tried = finding.tried
    attempt = tried.suspect.attempt if tried else None
    if tried is None or attempt is None:
        return "no attempt of the history tells what this file made"
    done = finding.done or 0
    if attempt.statements_done != done:
        return f"the history counted {attempt.statements_done} statements, the schema shows {done}"
    last = finding.half or done
    reasons = (doubt for one in tried.script.statements[:last] for doubt in _doubts(tried, one))
    return next(reasons, "")


def _doubts(tried: TrialResult, statement: Statement) -> Iterator[str]:
    """Why a statement that ran may have done more, or less, than make something new."""
    if leaves_nothing(statement):
        return
    script, first = tried.script, (*statement.words, "")[0]
    reader, which = StatementReader(script, statement), f"statement {statement.number}"
    if words := next((words for words in _FOUND_THERE if reader.holds(*words)), None):
        yield f"{which} may have found what it names ({' '.join(words)})"
    if first not in _NO_ROWS:
        named = f"{which} ({first})" if first else which
        yield f"{named} may have changed rows, which a rollback does not bring back"
    if data_loss_of(script, statement) or moved_by(script, statement):
        yield f"{which} took away, moved or changed values, which a rollback does not bring back"
    if first == "ALTER" and not alters_as_shown(script, statement):
        yield f"{which} ({' '.join(statement.words[:2])}) is not shown whole by the schema"
    copies = first == "CREATE" and any(reader.holds(*words) for words in _COPIES)
    if copies and statement.words[:2] != ("CREATE", "VIEW"):
        yield f"{which} copied rows"
    text = script.text[statement.start : statement.end]
    beyond = reaches_beyond(statement) or is_not_compared(statement, text)
    if first not in _NO_TRACE and (beyond or not tried.leaves_trace(statement.number)):
        yield f"{which} ({first}) leaves no trace in the schema"


def alters_as_shown(script: Script, statement: Statement) -> bool:
    """
    Whether a statement is an ALTER TABLE of actions that a snapshot shows whole.

    Not with a default that is computed: it may call a function that does anything.
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
            shown = any(reader.take(*words) for words in _SHOWN_OF_COLUMN)
        else:
            shown = any(reader.take(*words) for words in _SHOWN)
        if not shown:
            return False
        more = reader.step_over_comma()
    computed = StatementReader(script, statement)
    return not (computed.step_behind("DEFAULT") and "(" in computed.rest().split())


def why_not_the_down(undo: Script) -> str:
    """Why SQL that rolls back is not sent to the live database; empty where it may be."""
    if undo.mode is not Mode.TRANSACTIONAL:
        return f"the rollback cannot run in one transaction: {undo.reason}"
    reasons = (_why_not_sent(undo, one) for one in undo.statements)
    return next(filter(None, reasons), "")


def _why_not_sent(undo: Script, statement: Statement) -> str:
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
        if found := next(filter(reader.holds, _COMPUTES), moved_by(undo, statement)):
            return f"{which} computes or moves rows ({found})"
        shown = kind != "TABLE" or alters_as_shown(undo, statement)
        return "" if shown else f"{which} ({first} {kind}) is not shown whole by the schema"
    return f"{which} ({first} {kind}".rstrip() + ") is more than a change of schema"


def judge_dry_run(finding: StateMatch, ran: DryRun) -> Rollback:
    """
    What a dry run on the live database proves; its losses are still to be counted.

    Args:
        finding: what is there, as the states on scratch are.
        ran: what the live database was before and behind the rollback.
    """
    tried = finding.tried
    assert tried is not None
    if ran.reason or ran.before is None or ran.after is None:
        return Rollback(Proof.NOT_PROVED, ran.reason or "there was no dry run")
    live, after = ran.before.without_owners(), ran.after.without_owners()
    if strays := list(_strays(finding, tried, live, after)):
        return Rollback(Proof.REFUTED, f"it would change or remove {_listed(strays)} too")
    if older := [str(one) for one in ran.gone if not one.since]:
        return Rollback(
            Proof.REFUTED, f"{_listed(older)} may be older than the attempt, and would go"
        )
    if foreign := [str(one) for one in ran.gone if one.kind == "foreign table"]:
        return Rollback(Proof.NOT_PROVED, f"{_listed(foreign)} would go, and cannot be counted")
    kinds = ("table", "materialized view", "column")
    gone = (DataLoss(one.kind, one.name, one.column) for one in ran.gone if one.kind in kinds)
    return Rollback(Proof.PROVED, losses=tuple(gone))


def _strays(
    finding: StateMatch, tried: TrialResult, live: Snapshot, after: Snapshot
) -> Iterator[str]:
    """The objects that come out otherwise than before the file, or are not the file's."""
    states = {(state.done, state.half): state.snapshot for state in tried.states}
    before, there = states[0, None], states[finding.done or 0, finding.half]
    expected = {one.identity for one in differences(there, before)}
    moved = {one.identity for one in differences(live, after)}
    for identity in sorted(moved | expected):
        as_before = after.objects.get(identity) == before.objects.get(identity)
        if identity not in expected or not as_before:
            yield identity


def counted(rollback: Rollback, losses: tuple[DataLoss, ...]) -> Rollback:
    """A proved rollback with its losses counted; what could not be counted is not proved."""
    if unknown := [str(loss) for loss in losses if loss.unknown or loss.more]:
        return Rollback(Proof.NOT_PROVED, f"{_listed(unknown)} would go", losses)
    return Rollback(rollback.proof, rollback.reason, losses)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more
