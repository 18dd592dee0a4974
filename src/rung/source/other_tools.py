"""
Recognizes the migrations of other tools, so that they are reported and not ignored.

By their names where those are enough, else by the content of the file. Reads no SQL: a marker
of another tool inside a migration of ours is for `script.foreign_markers`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from rung.errors import ForeignSource
from rung.source.listing import FILE, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.source.listing import Entry

_ENOUGH = 1 << 16
"""Bytes of a file in which a tool's marker is looked for."""
_SPLIT = "write the part of each file below its Up marker into VERSION_NAME.up.sql, and the part below its Down marker into VERSION_NAME.down.sql"  # noqa: E501
_RENAME = "name each file VERSION_NAME.up.sql, and its down VERSION_NAME.down.sql"
_AS_SQL = (
    "print the SQL of each with that tool, and write it into VERSION_NAME.up.sql and "
    "VERSION_NAME.down.sql"
)


class _Layout(NamedTuple):
    tool: str
    name: str
    inside: str
    """The pattern that the file must match; empty where the name is enough."""
    way: str


_LAYOUTS = (
    _Layout("goose", r".+\.sql", r"(?im)^--+[ \t]*\+goose[ \t]+up\b", _SPLIT),
    _Layout("goose", r"\d+_.+\.go", r"goose\.Add", _SPLIT),
    _Layout("dbmate", r".+\.sql", r"(?im)^--+[ \t]*migrate:up\b", _SPLIT),
    _Layout("sql-migrate", r".+\.sql", r"(?im)^--+[ \t]*\+migrate[ \t]+up\b", _SPLIT),
    _Layout("micrate", r".+\.sql", r"(?im)^--+[ \t]*\+micrate[ \t]+up\b", _SPLIT),
    _Layout("rambler", r".+\.sql", r"(?im)^--+[ \t]*rambler[ \t]+up\b", _SPLIT),
    _Layout("node-pg-migrate", r".+\.sql", r"(?im)^--+[ \t]*up migration\b", _SPLIT),
    _Layout("tern", r"\d+.*\.sql", r"(?im)^----[ \t]+create above / drop below", _SPLIT),
    _Layout("Flyway", r"(?i)(?:[VUB][0-9][0-9._]*|R)__.*\.(?:sql|java)", "", _RENAME),
    _Layout("yoyo", r".+\.rollback\.sql", "", _RENAME),
    _Layout("yoyo", r".+\.sql", r"(?m)^--[ \t]*depends:", _RENAME),
    _Layout("yoyo", r".+\.py", r"(?m)^(?:from yoyo import|import yoyo)\b", _AS_SQL),
    _Layout("Alembic", r".+\.py", r"(?m)^down_revision\b", _AS_SQL),
    _Layout("Alembic", r"script\.py\.mako", "", _AS_SQL),
    _Layout("Django", r".+\.py", r"(?m)^from django\.db import .*\bmigrations\b", _AS_SQL),
    _Layout("Rails", r"\d{10,}_.+\.rb", "", _AS_SQL),
    _Layout("Liquibase", r".+\.sql", r"(?i)\A\W*--[ \t]*liquibase formatted sql", _AS_SQL),
    _Layout("Liquibase", r".+\.(?:xml|ya?ml|json)", r"databaseChangeLog", _AS_SQL),
    _Layout("pop (fizz)", r".+\.fizz", "", _AS_SQL),
    _Layout("sqitch", r"sqitch\.plan", "", _RENAME),
)
_COMPILED = tuple(
    (one, re.compile(rf"{one.name}\Z"), re.compile(one.inside.encode())) for one in _LAYOUTS
)
_IN_FOLDERS = {"up.sql": "diesel", "migration.sql": "Prisma"}
"""The tools that give each migration a folder of its own, by the name of the file in it."""
_OF_DIALECT = re.compile(r"\d+_.*\.(?:postgres|cockroach|mysql|sqlite3?|mariadb)\.(?:up|down)\.sql")


class OtherTool(NamedTuple):
    """The files of another tool."""

    tool: str
    files: tuple[str, ...]
    way: str

    def error(self, source: str) -> ForeignSource:
        """The error of a source that holds nothing else."""
        return ForeignSource(source, self.tool, self.files, self.way)


def find(entries: Iterable[Entry]) -> OtherTool | None:
    """The tool that most of these files are of; None where none is recognized."""
    files: dict[_Layout, list[str]] = defaultdict(list)
    for entry in entries:
        if entry.kind == FILE and (layout := _layout_of(entry)):
            files[layout].append(visible(entry.name))
    tools: dict[str, list[str]] = defaultdict(list)
    for layout, names in files.items():
        tools[layout.tool] += names
    if not tools:
        return None
    tool = max(tools, key=lambda one: len(tools[one]))
    way = next(layout.way for layout in files if layout.tool == tool)
    return OtherTool(tool, tuple(sorted(tools[tool])), way)


def find_in_folders(folders: Iterable[tuple[str, list[Entry]]]) -> OtherTool | None:
    """Find the same in the folders of a source that has no migrations itself."""
    own: dict[str, list[str]] = defaultdict(list)
    others: list[Entry] = []
    for path, entries in folders:
        for entry in entries:
            if entry.kind == FILE and entry.name in _IN_FOLDERS:
                own[_IN_FOLDERS[entry.name]].append(visible(f"{path}/{entry.name}"))
            elif entry.kind == FILE:
                others.append(entry._replace(name=f"{path}/{entry.name}"))
    if own:
        tool, files = max(own.items(), key=lambda one: len(one[1]))
        return OtherTool(tool, tuple(files), _RENAME)
    return find(others)


def of_several_dialects(files: Iterable[str]) -> OtherTool | None:
    """Find files of pop (and of Ory's popx), whose names contain the name of a database."""
    found = tuple(file for file in files if _OF_DIALECT.match(file))
    way = "copy the files of one database into their own folder, without its name in theirs"
    return OtherTool("pop", found, f"{way}, numbered below 2^63") if found else None


def _layout_of(entry: Entry) -> _Layout | None:
    base = entry.name.rpartition("/")[2]
    content: bytes | None = None
    for layout, name, inside in _COMPILED:
        if not name.match(base):
            continue
        if not layout.inside:
            return layout
        if content is None:
            content = _beginning(entry)
        if inside.search(content):
            return layout
    return None


def _beginning(entry: Entry) -> bytes:
    """Read the first bytes of a file; empty where it cannot be read, which is no error here."""
    try:
        return next(entry.blocks(_ENOUGH))
    except OSError:
        return b""
