"""
What the catalog can tell of a statement whose end nobody saw. Pure.

Such a statement was sent outside a transaction: it may be finished, half done or not begun.
Here stands for each kind whether it may simply be run again, whether the catalog knows and
what to ask it, or that only a person can tell. Drivers ask; nothing here does.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from rung.script.token_reader import StatementReader

if TYPE_CHECKING:
    from rung.script.model import Script, Statement

_HARMLESS = frozenset(
    {"VACUUM", "ANALYZE", "CHECKPOINT", "REINDEX", "CLUSTER", "DISCARD", "PRAGMA"}
)
_CATALOGS = frozenset({"DATABASE", "TABLESPACE", "SUBSCRIPTION"})
_CONCURRENTLY = "CONCURRENTLY"


class RerunSafety(Enum):
    """How to learn what became of a statement."""

    NONE = "none"
    """
    Running it twice does no harm: it is run again. Of a REINDEX `name` is what it works on and
    `table` of what kind that is: INDEX, TABLE, SCHEMA, DATABASE.
    """
    UNKNOWN = "unknown"
    """Nothing tells, and twice may be once too often."""
    INDEX_BUILT = "index built"
    """`name` is the index, without a schema; `table` its table."""
    INDEX_DROPPED = "index dropped"
    PARTITION_DETACHED = "partition detached"
    """`name` is the partition, `table` what it was a part of."""
    MADE = "made"
    """`table` says of what kind: DATABASE, TABLESPACE, SUBSCRIPTION."""
    DROPPED = "dropped"
    PREPARED_RESOLVED = "prepared transaction resolved"
    """`name` is its identifier, quotes included."""


class RerunRule(NamedTuple):
    """What to ask of the catalog; names stand as in the script."""

    trace: RerunSafety
    name: str = ""
    table: str = ""


def rerun_rule_of(script: Script, statement: Statement) -> RerunRule:
    """
    What tells whether a statement of a script was finished.

    Args:
        script: the script.
        statement: one of it that runs outside a transaction.
    """
    reader = StatementReader(script, statement)
    first = statement.words[0] if statement.words else ""
    if reader.take("REINDEX"):
        return _reindexed(reader)
    if first in _HARMLESS or reader.take("ALTER", "SYSTEM"):
        return RerunRule(RerunSafety.NONE)
    if first in {"COMMIT", "ROLLBACK"} and reader.take(first, "PREPARED"):
        return RerunRule(RerunSafety.PREPARED_RESOLVED, reader.rest())
    if first == "ALTER":
        return _altered(reader)
    if first in {"CREATE", "DROP"}:
        return _made(reader, first)
    return RerunRule(RerunSafety.UNKNOWN)


def _made(reader: StatementReader, verb: str) -> RerunRule:
    reader.take(verb)
    for kind in _CATALOGS:
        if reader.take(kind):
            reader.take("IF", "EXISTS")
            return RerunRule(
                RerunSafety.MADE if verb == "CREATE" else RerunSafety.DROPPED, reader.name(), kind
            )
    reader.take("UNIQUE")
    if not reader.take("INDEX", _CONCURRENTLY):
        return RerunRule(RerunSafety.UNKNOWN)
    if verb == "DROP":
        reader.take("IF", "EXISTS")
        return RerunRule(RerunSafety.INDEX_DROPPED, reader.name())
    reader.take("IF", "NOT", "EXISTS")
    name = "" if reader.take("ON") else reader.name()
    reader.take("ON")
    reader.take("ONLY")
    reader.take("(")
    return RerunRule(RerunSafety.INDEX_BUILT, name, reader.name())


def _reindexed(reader: StatementReader) -> RerunRule:
    reader.step_over_brackets()
    for kind in ("INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"):
        if reader.take(kind):
            reader.take(_CONCURRENTLY)
            return RerunRule(RerunSafety.NONE, reader.name(), kind)
    return RerunRule(RerunSafety.NONE)


def _altered(reader: StatementReader) -> RerunRule:
    if reader.take("ALTER", "DATABASE") or reader.take("ALTER", "SUBSCRIPTION"):
        return RerunRule(RerunSafety.NONE)  # a move to where it is, a refresh of what is fresh
    reader.take("ALTER", "TABLE")
    reader.take("IF", "EXISTS")
    reader.take("ONLY")
    table = reader.name()
    if not reader.take("DETACH", "PARTITION"):
        return RerunRule(RerunSafety.UNKNOWN)
    return RerunRule(RerunSafety.PARTITION_DETACHED, reader.name(), table)
