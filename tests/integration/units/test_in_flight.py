"""A run that died at a statement outside a transaction: the catalog decides, or nobody does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.integration.engine.sites import failing

from rung.errors import CannotResume, MigrationFailed

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site


class Kind(NamedTuple):
    """A statement, what undoes it, and a query that is true where it was done."""

    sql: str
    undo: str
    done: str


_BASE = (
    "CREATE SCHEMA s; CREATE TABLE s.t (x int); CREATE INDEX old ON s.t (x); "
    "CREATE TABLE p (x int) PARTITION BY LIST (x); "
    "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); "
    "CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;"
)
_PENDING = (
    "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES IN (1); SET allow_system_table_mods = on; "
    "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'p1'::regclass"
)
_KINDS = {
    "index": Kind(
        "CREATE INDEX CONCURRENTLY new ON t (x)",
        "DROP INDEX s.new",
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('s.new')",
    ),
    "drop": Kind(
        "DROP INDEX CONCURRENTLY old",
        "CREATE INDEX old ON s.t (x)",
        "SELECT to_regclass('s.old') IS NULL",
    ),
    "detach": Kind(
        "ALTER TABLE public.p DETACH PARTITION public.p1 CONCURRENTLY",
        "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES IN (1)",
        "SELECT count(*) = 0 FROM pg_inherits WHERE inhrelid = 'p1'::regclass",
    ),
    "finalize": Kind(
        "ALTER TABLE public.p DETACH PARTITION public.p1 CONCURRENTLY",
        _PENDING,
        "SELECT count(*) = 0 FROM pg_inherits WHERE inhrelid = 'p1'::regclass",
    ),
    "database": Kind(
        "CREATE DATABASE {name}_more",
        "DROP DATABASE {name}_more",
        "SELECT count(*) = 1 FROM pg_database WHERE datname = '{name}_more'",
    ),
    "vacuum": Kind("VACUUM t", "SELECT 1", "SELECT true"),
    "reindex": Kind("REINDEX TABLE CONCURRENTLY t", "SELECT 1", "SELECT true"),
}


def _died_at(site: Site, sql: str) -> None:
    """A run that sent this as its third statement, outside a transaction, and died."""
    text = f"CREATE TABLE a ();\nSET search_path = s;\n{sql};\nSELECT 1/0;"
    site.add("1_base", _BASE).add("2_x", text).up_fails(MigrationFailed)
    site.ask(
        "UPDATE schema_migrations_history SET outcome = 'running', statements_done = 2, "
        "in_flight = 3, error = NULL, finished = NULL WHERE version = 2"
    )
    site.add("2_x", text.replace("1/0", "1"))


@pytest.mark.parametrize("undone", [False, True], ids=["finished", "not"])
@pytest.mark.parametrize("kind", _KINDS.values(), ids=_KINDS)
def test_what_the_catalog_decides(site: Site, kind: Kind, *, undone: bool) -> None:
    """Finished, it is not run again; not finished, it is: either way it is done once."""
    sql, undo, done = (part.format(name=site.database.name) for part in kind)
    _died_at(site, sql)
    if undone:
        site.ask(undo)
    resumed = site.migrator().up(resume=True)

    assert [step.version for step in resumed.steps] == [2]
    assert site.ask(done) == [(True,)]
    assert (site.ledger(), site.progress()[-1]) == ([(2, False)], ("done", 4, 4, None))


@pytest.mark.parametrize("sql", ["CALL public.commits()", "CREATE INDEX CONCURRENTLY ON t (x)"])
def test_what_nobody_knows(site: Site, sql: str) -> None:
    """It is refused with the statement's name and the way to repair, and all stays as it was."""
    _died_at(site, sql)
    error = failing(CannotResume, lambda: site.migrator().up(resume=True))

    assert "statement 3 on line 3" in error.reason
    assert sql.split("(", maxsplit=1)[0] in error.reason
    assert (site.ledger(), site.progress()[-1]) == ([(2, True)], ("running", 2, 4, 3))


def test_an_older_index_of_the_same_name_is_not_the_files(site: Site) -> None:
    """The build was refused for it: to go on is to be refused again, not to take it for built."""
    site.add("1_base", "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (b);").up()
    text = "CREATE TABLE u ();\nCREATE INDEX CONCURRENTLY i ON t (a);\nCREATE TABLE w ();"
    site.add("2_x", text).up_fails(MigrationFailed)
    failing(MigrationFailed, lambda: site.migrator().up(resume=True))

    assert (site.ledger(), site.tables()) == ([(2, True)], {"t", "u"})
    site.ask("DROP INDEX i")
    assert [step.version for step in site.migrator().up(resume=True).steps] == [2]
