"""
Which statements may be run twice, and what the catalog shows of the others. Pure.

The one list of statements that may be run twice: for a statement that was sent outside a
transaction and whose outcome is not known, for a repair that resumes before statements which leave
no trace in the schema, for the settings of a session that a resumed file needs again. For a
statement that may not be run twice, `rerun_rule_of` says which question to the catalog shows
whether it is finished, or that nothing does. Drivers send the question.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from rung.script.token_reader import StatementReader

if TYPE_CHECKING:
    from rung.script.model import Script, Statement

_KEEPS_CONTENTS = frozenset({"VACUUM", "ANALYZE", "CHECKPOINT", "REINDEX", "CLUSTER", "DISCARD"})
_MAY_RUN_TWICE = _KEEPS_CONTENTS | {"REFRESH", "PRAGMA"}
_SETS_SESSION = frozenset({"SET", "RESET", "LOAD", "ATTACH", "DETACH"})
_CATALOGS = frozenset({"DATABASE", "TABLESPACE", "SUBSCRIPTION"})
_CONCURRENTLY = "CONCURRENTLY"


class RerunSafety(Enum):
    """What shows whether a statement is finished."""

    NONE = "none"
    """
    Nothing has to: it may be run twice, and is run again. For a REINDEX, `name` is its object and
    `table` the kind of it: INDEX, TABLE, SCHEMA, DATABASE.
    """
    UNKNOWN = "unknown"
    """Nothing shows it, and a second run may do harm."""
    INDEX_BUILT = "index built"
    """`name` is the index, without a schema; `table` its table."""
    INDEX_DROPPED = "index dropped"
    PARTITION_DETACHED = "partition detached"
    """`name` is the partition, `table` its former parent."""
    MADE = "made"
    """`table` is the kind of object: DATABASE, TABLESPACE, SUBSCRIPTION."""
    DROPPED = "dropped"
    PREPARED_RESOLVED = "prepared transaction resolved"
    """`name` is its identifier, quotes included."""


class RerunRule(NamedTuple):
    """What to ask the catalog; names are spelled as in the script."""

    trace: RerunSafety
    name: str = ""
    table: str = ""


def may_run_twice(statement: Statement) -> bool:
    """Whether a second run of a statement leaves the database as the first one does."""
    return _first(statement) in _MAY_RUN_TWICE or statement.words[:2] == ("ALTER", "SYSTEM")


def keeps_contents(statement: Statement) -> bool:
    """
    Whether a statement leaves every row and the schema as they were.

    REFRESH may be run twice and does not: it replaces the rows of a materialized view. A PRAGMA of
    SQLite may set what is stored in the file.
    """
    return _first(statement) in _KEEPS_CONTENTS


def sets_session(statement: Statement) -> bool:
    """Whether a statement only sets its session, so that it is run again in a new one."""
    return statement.session_only or _first(statement) in _SETS_SESSION


def _first(statement: Statement) -> str:
    return statement.words[0] if statement.words else ""


def rerun_rule_of(script: Script, statement: Statement) -> RerunRule:
    """
    Return what shows whether a statement of a script is finished.

    Args:
        script: the script.
        statement: one of it that runs outside a transaction.
    """
    reader = StatementReader(script, statement)
    first = _first(statement)
    if reader.take("REINDEX"):
        return _reindexed(reader)
    if may_run_twice(statement):
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
        return RerunRule(RerunSafety.NONE)  # SET TABLESPACE, REFRESH PUBLICATION
    reader.take("ALTER", "TABLE")
    reader.take("IF", "EXISTS")
    reader.take("ONLY")
    table = reader.name()
    if not reader.take("DETACH", "PARTITION"):
        return RerunRule(RerunSafety.UNKNOWN)
    return RerunRule(RerunSafety.PARTITION_DETACHED, reader.name(), table)
