"""Drop removes all there is, whatever hangs on what."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import PlanChanged, QueryFailed

if TYPE_CHECKING:
    from tests.integration.sqlite.sites import Site

EVERYTHING = [
    "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)",
    "INSERT INTO counted DEFAULT VALUES",
    "CREATE TABLE [select] (x)",
    'CREATE TABLE "a "" b" (x REFERENCES counted)',
    "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
    "CREATE TABLE children (p NOT NULL REFERENCES parents)",
    "INSERT INTO parents VALUES (1)",
    "INSERT INTO children VALUES (1)",
    "CREATE VIEW seen AS SELECT * FROM parents",
    "CREATE TRIGGER t AFTER INSERT ON parents BEGIN DELETE FROM children; END",
    "CREATE VIRTUAL TABLE docs USING fts5(body)",
    "CREATE TABLE docs_mine (x)",
    "CREATE INDEX i ON parents (id)",
]


def filled(site: Site) -> Site:
    """A database with one of everything that golang-migrate's drop stumbles over."""
    site.add_tables(1).up()
    for sql in EVERYTHING:
        site.ask(sql)
    return site


@pytest.mark.parametrize("query", ["", "?_fk=1"])
def test_all_goes(site: Site, query: str) -> None:
    """Tables, views and virtual tables go at once, and with them all else."""
    gone = filled(site).migrator(query).drop()

    assert {(loss.kind, loss.table) for loss in gone} == {
        *(("table", name) for name in ("counted", '"a "" b"', "parents", "children", "docs_mine")),
        *(("table", name) for name in ("t1", "schema_migrations", "schema_migrations_history")),
        *(("table", "select"), ("view", "seen"), ("virtual table", "docs")),
    }
    assert site.ask("SELECT name FROM sqlite_master WHERE name <> 'sqlite_sequence'") == []
    assert site.up() == (1,)


def test_rows_are_counted(site: Site) -> None:
    """What will go is told with its rows."""
    losses = {loss.table: loss.rows for loss in filled(site).migrator().everything()}

    assert (losses["children"], losses["seen"], losses["docs_mine"]) == (1, None, 0)


def test_more_than_was_shown(site: Site) -> None:
    """What somebody made since the question was asked is not dropped."""
    shown = filled(site).migrator().everything()
    site.ask("CREATE TABLE later (x)")

    failing(PlanChanged, lambda: site.migrator().drop(expected=shown))
    assert "later" in site.tables()


def test_a_drop_that_fails(site: Site) -> None:
    """While somebody reads, nothing goes."""
    filled(site)
    with closing(sqlite3.connect(site.file, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM parents").fetchall()
        failing(QueryFailed, site.migrator("?_timeout=20").drop)

    assert {"parents", "docs", "seen"} <= site.tables()
