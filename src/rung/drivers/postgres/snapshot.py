"""
Read the schema of a PostgreSQL database as a snapshot.

A kind of objects is read only where there is one: a first statement finds out which, because to
plan a query for each kind costs the server more than to run it. Each statement of `snapshot.sql`
returns rows of the same seven columns.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.acl import privilege_lines
from rung.drivers.postgres.message import ours
from rung.drivers.postgres.quoting import Sql, statement
from rung.snapshot import SchemaObject, Snapshot, Stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rung.drivers.postgres.tables import TableNames
    from rung.drivers.postgres.wire import Reply, Row, Wire

_SETTINGS = statement("snapshot_settings")
_KEEP = statement("snapshot_keep_settings", settings=_SETTINGS)
_FIX = statement("snapshot_fix_settings", settings=_SETTINGS)
_PUT_BACK = statement("snapshot_put_back_settings", settings=_SETTINGS)
"""For a transaction that was open before, and continues."""
_BEFORE = (_KEEP, _FIX)
_ALWAYS = ("schemas", "extensions", "languages", "database", "system_privileges")
_OF_TABLES = ("columns", "constraints", "indexes")
"""Read where there are tables."""
_ORDERED = ("table ", "foreign table ")
"""Kinds of relations whose order of columns is not in their definition."""
_OF_A_ROLE = "default privileges "
"""What is named by its owner."""
_WITHOUT_COLUMN_LISTS = 15_00_00
"""Before this version, a publication publishes whole tables, and no schemas."""
_SUBSCRIPTION_COLUMNS = {
    14_00_00: ("enabled", "binary", "stream", "slotname", "synccommit", "publications"),
    15_00_00: ("twophasestate", "disableonerr"),
    16_00_00: ("passwordrequired", "runasowner", "origin"),
    17_00_00: ("failover",),
}
"""By the version that brought them: columns of pg_subscription that everybody may read."""


def read_snapshot(
    wire: Wire, names: TableNames, within: float | None = None
) -> tuple[Reply, Snapshot | None]:
    """
    Read the schema in two messages.

    Args:
        wire: idle, or in a transaction that continues afterwards.
        names: ledger, history and lease; they are left out where their schema is known.
        within: seconds for each message; None for no limit.

    Returns:
        The last reply, which says why there is no snapshot, and the snapshot.
    """
    reply = wire.ask(_message((statement("snapshot_present"),)), within=within)
    if reply.error:
        return reply, None
    present = {str(row[0]) for row in reply.rows(len(_BEFORE))}
    parts = (*_ALWAYS, *sorted(present), *(_OF_TABLES if "tables" in present else ()))
    version = wire.server_version
    reply = wire.ask(_message(_statements(parts, names, version)), within=within)
    if reply.error:
        return reply, None
    rows = [row for at in range(len(parts)) for row in reply.rows(len(_BEFORE) + at)]
    return reply, Snapshot.of(_entries(rows), f"PostgreSQL {version // 10000}")


def read_stamp(wire: Wire) -> Stamp | None:
    """
    Read what tells cheaply that a schema has not changed; None where a catalog cannot be read.

    Every change of a schema writes rows of `pg_catalog`, and each version of a row has a place and
    a transaction that no other has at the same time. So the places and transactions of all rows
    are equal only if no row was written in between. What writes rows and leaves the schema, such
    as ANALYZE, changes the stamp too. Ages, and sums of transactions, are wrong in both directions:
    they are equal for different rows, and differ for the same ones after a freeze.

    Args:
        wire: of a role that may read every catalog; only superusers may.
    """
    reply = wire.ask(_message((statement("snapshot_catalogs"),)))
    if reply.error:
        return None
    catalogs = [Sql(str(row[0])) for row in reply.rows(len(_BEFORE))]
    parts = (statement("snapshot_stamp_of", catalog=catalog) for catalog in catalogs)
    reply = wire.ask(_message((Sql(" UNION ALL ".join(parts)),)))
    return None if reply.error else Stamp(tuple(reply.rows(len(_BEFORE))))


def _message(statements: Iterable[Sql]) -> Sql:
    return Sql(ours("", *_BEFORE, *statements, _PUT_BACK).sql)


def _statements(parts: Iterable[str], names: TableNames, version: int) -> Iterator[Sql]:
    # A table that does not exist stands for none: an empty list is a syntax error.
    own = [("", ""), *((t.schema, t.name) for t in (names.ledger, names.history, names.lease))]
    pairs = (f"({quoting.text(s)}, {quoting.text(table)})" for s, table in own if s is not None)
    columns = (
        f"'{column}', s.sub{column}"
        for since, added in _SUBSCRIPTION_COLUMNS.items()
        for column in added
        if version >= since
    )
    places = {"own_tables": Sql(", ".join(pairs))}
    places["relations"] = statement("snapshot_relations", **places)
    places["relation"] = statement("snapshot_relation")
    places["option"] = statement("snapshot_option")
    places["columns"] = Sql(", ".join(columns))
    for part in parts:
        is_old = part == "publications" and version < _WITHOUT_COLUMN_LISTS
        yield statement(f"snapshot_{part}_14" if is_old else f"snapshot_{part}", **places)


def _entries(rows: Sequence[Row]) -> Iterator[SchemaObject]:
    for identity, definition, parent, owner, acl, usual, comment in rows:
        name = identity or ""
        if definition is not None:
            yield SchemaObject(name, definition, parent)
            if owner is not None and not name.startswith(_OF_A_ROLE):
                yield SchemaObject(f"owner of {name}", owner, name)
        if acl is not None and acl != usual:
            lines = privilege_lines(owner or "", json.loads(acl), json.loads(usual or "[]"))
            if text := "\n".join(lines):
                yield SchemaObject(f"privileges on {name}", text, name)
        if comment is not None:
            yield SchemaObject(f"comment on {name}", comment, name)
    yield from _column_orders(rows)


def _column_orders(rows: Sequence[Row]) -> Iterator[SchemaObject]:
    """Yield the order of the columns of each table; their rows come in that order."""
    columns: dict[str, list[str]] = {}
    for identity, definition, parent, *_ in rows:
        if definition is None or parent is None or not parent.startswith(_ORDERED):
            continue
        if identity is not None and identity.startswith("column "):
            columns.setdefault(parent, []).append(identity)
    for table, names in columns.items():
        start = len("column .") + len(table.partition("table ")[2])
        order = ", ".join(name[start:] for name in names)
        yield SchemaObject(f"column order of {table}", order, table)
