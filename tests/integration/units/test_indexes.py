"""A concurrent build ends with a valid index, whatever an earlier one has left."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.engine.children import begin_up
from tests.integration.engine.sites import failing, wait_for

from rung.errors import MigrationFailed
from rung.events import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.engine.sites import Site

_TABLE = "CREATE TABLE t (x int); INSERT INTO t VALUES (1), (1);"
_UNIQUE = "CREATE UNIQUE INDEX CONCURRENTLY i ON t (x);"


def _indexes(site: Site) -> dict[str, bool]:
    """The indexes of table t, and whether each is valid."""
    rows = site.ask(
        "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "WHERE i.indrelid = 't'::regclass"
    )
    return dict(rows)


def _resume(site: Site) -> tuple[int, ...]:
    return tuple(step.version for step in site.migrator().up(resume=True).steps)


def _failed_build(site: Site, sql: str = _UNIQUE) -> None:
    """Leave an invalid index behind, as a build that met two equal values does."""
    with pytest.raises(psycopg.errors.UniqueViolation):
        site.ask(sql)
    site.ask("DELETE FROM t")


@pytest.fixture
def reader(site: Site) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Give a transaction whose snapshot a concurrent build waits for."""
    site.add("1_t", _TABLE).up()
    with site.database.connect() as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT count(*) FROM pg_class")
        yield connection


def test_a_unique_build_that_fails_is_resumed_behind_mended_data(site: Site) -> None:
    """The failure names the next command, which drops the invalid index and builds it again."""
    site.add("1_t", _TABLE).add("2_i", _UNIQUE).add_tables(3)
    error = site.up_fails(MigrationFailed)
    assert _indexes(site) == {"i": False}
    site.ask("DELETE FROM t")

    assert _resume(site) == (2, 3)
    assert _indexes(site) == {"i": True}
    assert "rung up --resume" in error.hint
    assert "invalid index" in error.hint
    assert "dropped" in site.heard(Notice)[-1].message


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (x)",
        'CREATE UNIQUE INDEX CONCURRENTLY "i" ON ONLY public."t" (x)',
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS I ON T (x)",
    ],
)
def test_a_leftover_of_anybody_is_built_again(site: Site, sql: str) -> None:
    """IF NOT EXISTS or not: an invalid index of that name is no index."""
    site.add("1_t", _TABLE).up()
    _failed_build(site)
    site.add("2_i", sql).up()

    assert _indexes(site) == {"i": True}


def test_a_leftover_without_a_name_is_dropped(site: Site) -> None:
    """Where the server chooses names, the invalid twin of the new index goes."""
    site.add("1_t", _TABLE).up()
    _failed_build(site, "CREATE UNIQUE INDEX CONCURRENTLY ON t (x)")
    site.add("2_i", "CREATE UNIQUE INDEX CONCURRENTLY ON t (x)").up()

    assert list(_indexes(site).values()) == [True]


def test_an_invalid_twin_of_another_index_stays(site: Site) -> None:
    """It is no leftover of this build, and nobody asked for it to go."""
    site.add(
        "1_t", "CREATE TABLE t (x int, y int); CREATE INDEX a ON t (y); CREATE INDEX b ON t (y);"
    )
    site.up()
    site.ask("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'b'::regclass")
    site.add("2_i", "CREATE INDEX CONCURRENTLY ON t (x)").up()

    assert site.ask("SELECT to_regclass('b') IS NOT NULL") == [(True,)]


def test_another_schema_by_the_files_own_path(site: Site) -> None:
    """The name is looked for where the file's search path leads."""
    site.ask("CREATE SCHEMA s")
    site.ask("CREATE TABLE s.t (x int); INSERT INTO s.t VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        site.ask(_UNIQUE.replace(" t ", " s.t "))
    site.ask("DELETE FROM s.t")
    site.add("1_i", f"SET search_path = s;\n{_UNIQUE.replace('i ON', 'IF NOT EXISTS i ON')}").up()

    assert site.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 's.i'::regclass") == [
        (True,)
    ]


def test_a_build_under_way_is_left_alone(
    site: Site, reader: psycopg.Connection[tuple[object, ...]]
) -> None:
    """What another session builds right now is not dropped: the error names that session."""
    site.ask("DELETE FROM t")
    building = threading.Thread(target=site.ask, args=("CREATE INDEX CONCURRENTLY i ON t (x)",))
    building.start()
    assert wait_for(lambda: _indexes(site) == {"i": False})
    site.add("2_i", "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (x)")
    error = site.up_fails(MigrationFailed)
    reader.rollback()
    building.join()

    assert "being built by another session: process" in error.cause
    assert _indexes(site) == {"i": True}
    assert _resume(site) == (2,)


def test_a_run_that_is_killed_in_a_build_is_resumed(
    site: Site, reader: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Kill -9 in the middle of the build: the next up --resume ends with a valid index."""
    site.ask("DELETE FROM t")
    site.add("2_i", "CREATE TABLE a ();\nCREATE INDEX CONCURRENTLY i ON t (x);").add_tables(3)
    run = begin_up(site)
    assert wait_for(lambda: _indexes(site) == {"i": False})
    run.kill()
    run.communicate()
    site.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name LIKE 'rung%' AND datname = current_database()"
    )
    reader.rollback()

    assert site.progress()[-1] == ("running", 1, 2, 2)
    assert _resume(site) == (2, 3)
    assert (_indexes(site), site.ledger()) == ({"i": True}, [(3, False)])


def test_what_reindex_left_goes_with_the_next(site: Site) -> None:
    """An invalid index whose name ends in _ccnew is dropped before a REINDEX of its table."""
    site.add("1_t", "CREATE TABLE t (x int); CREATE INDEX i ON t (x);").up()
    site.ask("INSERT INTO t VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        site.ask("CREATE UNIQUE INDEX CONCURRENTLY i_ccnew ON t (x)")
    site.add("2_r", "REINDEX (VERBOSE) TABLE CONCURRENTLY t").up()

    assert _indexes(site) == {"i": True}


def test_a_failed_build_leaves_its_index_for_the_next(site: Site) -> None:
    """Nothing is done behind a failure: the next try removes what it left."""
    site.add("1_t", _TABLE).add("2_i", _UNIQUE).up_fails(MigrationFailed)
    failing(MigrationFailed, lambda: site.migrator().up(resume=True))

    assert _indexes(site) == {"i": False}
    assert site.progress()[-1] == ("failed", 0, 1, 1)
