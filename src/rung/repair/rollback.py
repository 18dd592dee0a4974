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

from rung.losses import Loss, losses_of
from rung.repair.extent import leaves_nothing
from rung.snapshot import differences
from rung.statements import Mode, StatementReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.losses import DryRun
    from rung.repair.model import Finding, Tried
    from rung.snapshot import Snapshot
    from rung.statements import Script, Statement

_FOUND_THERE = (("IF", "NOT", "EXISTS"), ("OR", "REPLACE"), ("IF", "EXISTS"))
_QUERIES = ("SELECT", "WITH", "VALUES", "TABLE", "EXECUTE")
_COPIES = (*(("AS", word) for word in _QUERIES), *(("AS", "(", word) for word in _QUERIES))
_NO_ROWS = frozenset(
    {"CREATE", "ALTER", "COMMENT", "GRANT", "REVOKE", "VACUUM", "ANALYZE", "REINDEX", "CHECKPOINT"}
)
_VALUES = ("TYPE", "USING", "INHERIT", "ATTACH", "DETACH")
"""In an ALTER TABLE: changes values, or whose rows they are."""
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
_COMPUTES = (*_VALUES, "DEFAULT", "CHECK", "GENERATED", "EXCLUDE", "RESTART")
"""In a down's ALTER: calls functions that nobody has looked at, or changes rows."""
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
    losses: tuple[Loss, ...] = ()

    @property
    def costs(self) -> tuple[Loss, ...]:
        """Those of its losses that are rows, or values of a column."""
        return tuple(loss for loss in self.losses if loss.takes_rows)


def why_not_the_file(finding: Finding) -> str:
    """Why what ran of a file is not proved to be its own work; empty where it may be."""
    tried = finding.tried
    attempt = tried.suspect.attempt if tried else None
    if tried is None or attempt is None:
        return "no attempt of the history tells what this file made"
    done = finding.done or 0
    if attempt.statements_done != done:
        return f"the history counted {attempt.statements_done} statements, the schema shows {done}"
    last = finding.half or done
    reasons = (_why_not_made(tried.script, one) for one in tried.script.statements[:last])
    return next(filter(None, reasons), "")


def _why_not_made(script: Script, statement: Statement) -> str:
    """Why a statement that ran may have done more, or less, than make something new."""
    if leaves_nothing(statement):
        return ""
    reader, which = StatementReader(script, statement), f"statement {statement.number}"
    first = (*statement.words, "")[0]
    if words := next((words for words in _FOUND_THERE if reader.holds(*words)), None):
        return f"{which} may have found what it names ({' '.join(words)})"
    if first not in _NO_ROWS:
        return f"{which} ({first}) may have changed rows, which a rollback does not bring back"
    if losses_of(script, statement) or _moves_values(statement, reader):
        return f"{which} took away or changed values, which a rollback does not bring back"
    if first == "CREATE" and any(reader.holds(*words) for words in _COPIES):
        return "" if statement.words[:2] == ("CREATE", "VIEW") else f"{which} copied rows"
    return ""


def _moves_values(statement: Statement, reader: StatementReader) -> bool:
    return statement.words[:2] == ("ALTER", "TABLE") and any(map(reader.holds, _VALUES))


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
        computes = _COMPUTES if kind != "TYPE" else ("USING", "CHECK")
        found = next(filter(reader.holds, computes), "")
        return f"{which} computes or moves rows ({found})" if found else ""
    return f"{which} ({first} {kind}".rstrip() + ") is more than a change of schema"


def judge_dry_run(finding: Finding, ran: DryRun) -> Rollback:
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
    gone = (Loss(one.kind, one.name, one.column) for one in ran.gone if one.kind in kinds)
    return Rollback(Proof.PROVED, losses=tuple(gone))


def _strays(finding: Finding, tried: Tried, live: Snapshot, after: Snapshot) -> Iterator[str]:
    """The objects that come out otherwise than before the file, or are not the file's."""
    states = {(state.done, state.half): state.snapshot for state in tried.states}
    before, there = states[0, None], states[finding.done or 0, finding.half]
    expected = {one.identity for one in differences(there, before)}
    moved = {one.identity for one in differences(live, after)}
    for identity in sorted(moved | expected):
        as_before = after.objects.get(identity) == before.objects.get(identity)
        if identity not in expected or not as_before:
            yield identity


def counted(rollback: Rollback, losses: tuple[Loss, ...]) -> Rollback:
    """A proved rollback with its losses counted; what could not be counted is not proved."""
    if unknown := [str(loss) for loss in losses if loss.unknown or loss.more]:
        return Rollback(Proof.NOT_PROVED, f"{_listed(unknown)} would go", losses)
    return Rollback(rollback.proof, rollback.reason, losses)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more
