"""
Write SQL that turns one schema into another where the catalogs' own texts suffice. Pure.

Columns, defaults, NOT NULL, types, constraints and indexes. Nothing here is trusted: whoever asks
runs the statements on a scratch database, and shows them only where the schemas are equal then.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.snapshot import Aspect, aspect_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rung.verify.model import SchemaChange

_COLUMN = re.compile(
    r"""(?P<type>.+?)
        (?:\ collate\ (?P<collation>\S+))?
        (?P<required>\ not\ null)?
        (?:\ default\ (?P<default>.+))?""",
    re.VERBOSE | re.DOTALL,
)
_UNUSUAL = re.compile(r"\b(identity|generated|storage|compression|statistics|options|inherited)\b")
_NAME = r'(?:"(?:[^"]|"")+"|[^\s."()]+)'
_QUALIFIED = re.compile(rf"(?P<table>{_NAME}(?:\.{_NAME})*)\.(?P<column>{_NAME})")
_OF_A_TABLE = re.compile(rf"(?P<own>{_NAME}) on (?P<table>{_NAME}(?:\.{_NAME})*)")
_QUOTED = re.compile(r"""E'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*\"""", re.DOTALL)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control and bidirectional characters, line ends and tabs among them."""
_DROPS = {
    "table": "DROP TABLE {}",
    "view": "DROP VIEW {}",
    "materialized view": "DROP MATERIALIZED VIEW {}",
    "index": "DROP INDEX {}",
    "sequence": "DROP SEQUENCE {}",
    "function": "DROP FUNCTION {}",
    "procedure": "DROP PROCEDURE {}",
    "enum": "DROP TYPE {}",
    "domain": "DROP DOMAIN {}",
    "composite type": "DROP TYPE {}",
    "range": "DROP TYPE {}",
    "extension": "DROP EXTENSION {}",
    "schema": "DROP SCHEMA {}",
}
_ON_A_TABLE = {
    "constraint": "ALTER TABLE {table} DROP CONSTRAINT {name}",
    "trigger": "DROP TRIGGER {name} ON {table}",
    "policy": "DROP POLICY {name} ON {table}",
    "rule": "DROP RULE {name} ON {table}",
}
_RENAMED = {
    "table": "ALTER TABLE",
    "view": "ALTER VIEW",
    "materialized view": "ALTER MATERIALIZED VIEW",
    "index": "ALTER INDEX",
    "sequence": "ALTER SEQUENCE",
    "enum": "ALTER TYPE",
    "domain": "ALTER DOMAIN",
}
_DROPPED_LATE = ("extension", "schema")
_DROPPED_EARLY = ("trigger", "policy", "rule", "view", "materialized view", "constraint", "index")


def fix_statements(change: SchemaChange) -> tuple[str, ...] | None:
    """
    Return statements that undo a change of the schema; None where one cannot be written.

    Args:
        change: what is left, missing and different; its texts are the catalogs'.
    """
    try:
        drops = list(_drops(node.difference.identity for node in change.left))
        alters = [
            statement
            for one in change.changed
            if not _is_of_a_constraint(one.identity, change)
            for statement in _alters(one.identity, one.before or "", one.after or "")
        ]
        adds = list(
            _adds((node.difference.identity, node.difference.before) for node in change.missing)
        )
        return tuple(map(_pasteable, (*drops, *alters, *adds)))
    except _CannotBeWrittenError:
        return None


def rename_statements(change: SchemaChange) -> tuple[str, ...]:
    """
    Return statements that give objects back the names that they possibly had; they keep the rows.

    Args:
        change: its pairs of a missing and a left object that are equal but for their names.
    """
    return tuple(_renames(change.renames))


def _renames(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for missing, left in pairs:
        try:
            (kind, old), (_, new) = _split(missing), _split(left)
            if kind == "column":
                table, column = _table_and_column(new)
                to = _table_and_column(old)[1]
                yield _pasteable(f"ALTER TABLE {table} RENAME COLUMN {column} TO {to}")
            elif kind == "constraint":
                own, table = _of_a_table(new)
                to = _of_a_table(old)[0]
                yield _pasteable(f"ALTER TABLE {table} RENAME CONSTRAINT {own} TO {to}")
            elif kind in _RENAMED:
                to = _table_and_column(old)[1]
                yield _pasteable(f"{_RENAMED[kind]} {new} RENAME TO {to}")
        except _CannotBeWrittenError:
            continue


def _is_of_a_constraint(identity: str, change: SchemaChange) -> bool:
    """Report whether an index has the name of a constraint that differs: it changes with that."""
    nodes = (*change.left, *change.missing)
    differing = (*change.changed, *(node.difference for node in nodes))
    name = identity.removeprefix("index ")
    return name != identity and any(
        one.identity.startswith("constraint ")
        and name.endswith(f".{_of_a_table(one.identity.removeprefix('constraint '))[0]}")
        for one in differing
    )


class _CannotBeWrittenError(Exception):
    """The catalogs' texts do not suffice for a statement."""


def _pasteable(statement: str) -> str:
    r"""
    Write control characters in names and strings as escapes: U&"a\000Ab".

    A terminal shows them in other words, and an indentation would become part of them.

    Raises:
        _CannotBeWrittenError: there is one elsewhere, as in a definition of several lines.
    """

    def written(match: re.Match[str]) -> str:
        text = match[0]
        if not _UNSEEN.search(text) or text.startswith("E"):
            return text
        escaped = text.replace("\\", "\\\\")
        return "U&" + _UNSEEN.sub(lambda one: f"\\{ord(one[0]):04X}", escaped)

    found = _QUOTED.sub(written, statement)
    if _UNSEEN.search(found):
        raise _CannotBeWrittenError
    return found


def _drops(identities: Iterable[str]) -> Iterator[str]:
    found = [(kind, name) for kind, name in map(_split, identities)]

    def when(entry: tuple[str, str]) -> int:
        kind = entry[0]
        return 0 if kind in _DROPPED_EARLY else 2 if kind in _DROPPED_LATE else 1

    for kind, name in sorted(found, key=when):
        if kind in _ON_A_TABLE:
            own, table = _of_a_table(name)
            yield _ON_A_TABLE[kind].format(name=own, table=table)
        elif kind == "column":
            table, column = _table_and_column(name)
            yield f"ALTER TABLE {table} DROP COLUMN {column}"
        elif kind in _DROPS:
            yield _DROPS[kind].format(name)
        else:
            raise _CannotBeWrittenError


def _adds(missing: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    found = [(*_split(identity), definition or "") for identity, definition in missing]
    order = {"column": 0, "constraint": 1, "index": 2}
    for kind, name, definition in sorted(found, key=lambda one: order.get(one[0], 3)):
        if kind not in order:
            raise _CannotBeWrittenError
        if kind == "column":
            _check_usual(definition)
            table, column = _table_and_column(name)
            yield f"ALTER TABLE {table} ADD COLUMN {column} {definition}"
        elif kind == "constraint":
            own, table = _of_a_table(name)
            yield f"ALTER TABLE {table} ADD CONSTRAINT {own} {definition}"
        else:
            yield definition


def _alters(identity: str, wanted: str, actual: str) -> Iterator[str]:
    kind, name = _split(identity)
    if kind == "constraint":
        own, table = _of_a_table(name)
        # It may be gone with a column that is dropped before.
        drop = f"DROP CONSTRAINT IF EXISTS {own}"
        yield f"ALTER TABLE {table} {drop}, ADD CONSTRAINT {own} {wanted}"
    elif kind == "index":
        yield f"DROP INDEX IF EXISTS {name}"
        yield wanted
    elif kind == "column":
        yield from _column_alters(name, wanted, actual)
    else:
        raise _CannotBeWrittenError


def _column_alters(name: str, wanted: str, actual: str) -> Iterator[str]:
    _check_usual(wanted)
    _check_usual(actual)
    new, old = _COLUMN.fullmatch(wanted), _COLUMN.fullmatch(actual)
    if new is None or old is None or new["collation"] != old["collation"]:
        raise _CannotBeWrittenError
    table, column = _table_and_column(name)
    alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
    if old["default"] is not None and new["default"] != old["default"]:
        yield f"{alter} DROP DEFAULT"
    if new["type"] != old["type"]:
        yield f"{alter} TYPE {new['type']} USING {column}::{new['type']}"
    if new["default"] is not None and new["default"] != old["default"]:
        yield f"{alter} SET DEFAULT {new['default']}"
    if bool(new["required"]) != bool(old["required"]):
        yield f"{alter} {'SET' if new['required'] else 'DROP'} NOT NULL"


def _check_usual(definition: str) -> None:
    before_default = definition.partition(" default ")[0]
    if _UNUSUAL.search(before_default):
        raise _CannotBeWrittenError


def _of_a_table(name: str) -> tuple[str, str]:
    match = _OF_A_TABLE.fullmatch(name)
    if match is None:
        raise _CannotBeWrittenError
    return match["own"], match["table"]


def _table_and_column(name: str) -> tuple[str, str]:
    match = _QUALIFIED.fullmatch(name)
    if match is None:
        raise _CannotBeWrittenError
    return match["table"], match["column"]


def _split(identity: str) -> tuple[str, str]:
    """
    Split an identity into the kind of the object and its name.

    Raises:
        _CannotBeWrittenError: it is not of an object of a kind that is written here.
    """
    if aspect_of(identity) is not Aspect.STRUCTURE:
        raise _CannotBeWrittenError
    kinds = (*_DROPS, *_ON_A_TABLE, "column")
    for kind in sorted(kinds, key=len, reverse=True):
        if identity.startswith(f"{kind} "):
            return kind, identity.removeprefix(f"{kind} ")
    raise _CannotBeWrittenError
