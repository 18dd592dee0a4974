"""`repair --yes` loses nothing: every construction that was found to lose something, and others."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest

from rung import Migrator
from rung.errors import MigrationFailed, RepairUndecided, RungError
from rung.repair import Proof

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Database

    from rung.repair import Diagnosis

_BASE = """
CREATE TABLE u (id int PRIMARY KEY, name text);
INSERT INTO u SELECT g, 'n' || g FROM generate_series(1, 5) g;
"""
_BAD = "CREATE INDEX CONCURRENTLY ui ON u (nosuch);"
_TWICE = "CREATE UNIQUE INDEX CONCURRENTLY ai ON arch ((1));"


class Construction(NamedTuple):
    """A half-run file, and what somebody would miss."""

    name: str
    up: str
    down: str
    look: str
    """What has to come out the same behind the repair."""
    before: str = ""
    """What is done by hand before the file runs."""
    after: str = ""
    """What is done by hand, or by the application, once it has failed."""
    base: str = ""
    """What the first file makes besides."""


_COUNT_U, _MINE = "SELECT count(*) FROM u", "SELECT to_regclass('mine')::text"
_T = "CREATE TABLE t (i int);"
_PAIR = "CREATE TABLE a (i int); CREATE TABLE b (i int); INSERT INTO a VALUES (1);"
_SWAP = "ALTER TABLE a RENAME TO c; ALTER TABLE b RENAME TO a; ALTER TABLE c RENAME TO b;"
_IS_DIRTY = "SELECT version, dirty FROM schema_migrations"
_LIKE = "CREATE TABLE h (id int); INSERT INTO h VALUES (7)"
_H = "SELECT count(*) FROM h"
_X = "SELECT sum(x) FROM u"

CONSTRUCTIONS = (
    Construction(
        "table by hand",
        f"CREATE TABLE IF NOT EXISTS h (id int); {_BAD}",
        "DROP TABLE h;",
        _H,
        _LIKE,
    ),
    Construction(
        "empty table by hand",
        f"CREATE TABLE IF NOT EXISTS h (id int); {_BAD}",
        "DROP TABLE h;",
        _H,
        "CREATE TABLE h (id int)",
    ),
    Construction(
        "column by hand",
        f"ALTER TABLE u ADD COLUMN IF NOT EXISTS x int; {_BAD}",
        "ALTER TABLE u DROP COLUMN x;",
        _X,
        "ALTER TABLE u ADD COLUMN x int; UPDATE u SET x = id",
    ),
    Construction(
        "rows moved",
        f"CREATE TABLE arch AS SELECT * FROM u; DELETE FROM u; {_TWICE}",
        "DROP TABLE arch;",
        "SELECT (SELECT count(*) FROM u) + (SELECT count(*) FROM arch)",
    ),
    Construction(
        "rows moved in one statement",
        "CREATE TABLE arch (id int, name text);"
        "WITH g AS (DELETE FROM u RETURNING *) INSERT INTO arch SELECT * FROM g;" + _TWICE,
        "DROP TABLE arch;",
        "SELECT count(*) FROM arch",
    ),
    Construction(
        "rows moved by a DO block",
        "CREATE TABLE arch (id int, name text);"
        "DO $$ BEGIN INSERT INTO arch SELECT * FROM u; DELETE FROM u; END $$;" + _TWICE,
        "DROP TABLE arch;",
        "SELECT count(*) FROM arch",
    ),
    Construction(
        "view by hand",
        f"{_T} {_BAD}",
        "DROP TABLE t CASCADE;",
        _MINE,
        after="CREATE VIEW mine AS SELECT * FROM t",
    ),
    Construction(
        "materialized view by hand",
        f"{_T} {_BAD}",
        "DROP TABLE t CASCADE;",
        _MINE,
        after="CREATE MATERIALIZED VIEW mine AS SELECT * FROM t",
    ),
    Construction(
        "foreign key by hand",
        f"CREATE TABLE t (i int PRIMARY KEY); {_BAD}",
        "DROP TABLE t CASCADE;",
        "SELECT count(*) FROM pg_constraint WHERE conname = 'mine'",
        "CREATE TABLE other (i int)",
        "ALTER TABLE other ADD CONSTRAINT mine FOREIGN KEY (i) REFERENCES t",
    ),
    Construction(
        "policy by hand",
        f"{_T} {_BAD}",
        "DROP TABLE t;",
        "SELECT count(*) FROM pg_policy",
        after="CREATE POLICY mine ON t USING (true)",
    ),
    Construction(
        "trigger by hand",
        f"{_T} {_BAD}",
        "DROP TABLE t;",
        "SELECT count(*) FROM pg_trigger WHERE tgname = 'mine'",
        after="CREATE TRIGGER mine BEFORE UPDATE ON t FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    Construction(
        "grant by hand",
        f"{_T} {_BAD}",
        "DROP TABLE t;",
        "SELECT relacl::text FROM pg_class WHERE relname = 't'",
        after="GRANT SELECT ON t TO public",
    ),
    Construction(
        "index by hand", f"{_T} {_BAD}", "DROP TABLE t;", _MINE, after="CREATE INDEX mine ON t (i)"
    ),
    Construction(
        "comment by hand",
        f"{_T} {_BAD}",
        "DROP TABLE t;",
        "SELECT obj_description('t'::regclass)",
        after="COMMENT ON TABLE t IS 'mine'",
    ),
    Construction("down deletes", f"{_T} {_BAD}", "DROP TABLE t; DELETE FROM u;", _COUNT_U),
    Construction(
        "down updates",
        f"{_T} {_BAD}",
        "DROP TABLE t; UPDATE u SET name = '';",
        "SELECT string_agg(name, ',' ORDER BY id) FROM u",
    ),
    Construction("down truncates", f"{_T} {_BAD}", "DROP TABLE t; TRUNCATE u;", _COUNT_U),
    Construction(
        "down deletes by a function",
        f"{_T} {_BAD}",
        "DROP TABLE t; SELECT wipe();",
        _COUNT_U,
        "CREATE FUNCTION wipe() RETURNS void LANGUAGE sql AS 'DELETE FROM u'",
    ),
    Construction(
        "down deletes in a DO block",
        f"{_T} {_BAD}",
        "DROP TABLE t; DO $$ BEGIN DELETE FROM u; END $$;",
        _COUNT_U,
    ),
    Construction(
        "down deletes in a default",
        f"{_T} {_BAD}",
        "DROP TABLE t; ALTER TABLE u ADD COLUMN z int DEFAULT wipe(); ALTER TABLE u DROP COLUMN z;",
        _COUNT_U,
        "CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM u; SELECT 1'",
    ),
    Construction(
        "down ends its transaction",
        f"{_T} {_BAD}",
        "DROP TABLE t; COMMIT; DELETE FROM u;",
        _COUNT_U,
    ),
    Construction(
        "trigger that deletes",
        f"{_T} INSERT INTO t VALUES (1); {_BAD}",
        "DELETE FROM t; DROP TABLE t;",
        _COUNT_U,
        after="CREATE FUNCTION wipe() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN DELETE FROM u; RETURN OLD; END';"
        "CREATE TRIGGER wipes BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION wipe()",
    ),
    Construction(
        "cascade of a delete",
        f"{_T} {_BAD}",
        "DROP TABLE t; DELETE FROM u;",
        "SELECT count(*) FROM child",
        "CREATE TABLE child (u int REFERENCES u ON DELETE CASCADE); INSERT INTO child VALUES (1)",
    ),
    Construction(
        "rows of the application",
        f"{_T} {_BAD}",
        "DROP TABLE t;",
        "SELECT count(*) FROM t",
        after="INSERT INTO t VALUES (1), (2)",
    ),
    Construction(
        "values of the application",
        f"ALTER TABLE u ADD COLUMN x int; {_BAD}",
        "ALTER TABLE u DROP COLUMN x;",
        _X,
        after="UPDATE u SET x = 3 WHERE id = 2",
    ),
    Construction(
        "composite values of the application",
        f"ALTER TABLE u ADD COLUMN x pair; {_BAD}",
        "ALTER TABLE u DROP COLUMN x;",
        "SELECT x::text FROM u WHERE id = 2",
        "CREATE TYPE pair AS (a int, b int)",
        "UPDATE u SET x = ROW(1, NULL) WHERE id = 2",
    ),
    Construction(
        "values hidden by row security",
        f"CREATE TABLE t (i int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; {_BAD}",
        "DROP TABLE t;",
        "SELECT count(*) FROM t",
        after="INSERT INTO t VALUES (1)",
    ),
    Construction(
        "history dropped by the down",
        f"{_T} {_BAD}",
        "DROP TABLE t; DROP TABLE schema_migrations_history;",
        "SELECT to_regclass('schema_migrations_history')::text",
    ),
    Construction(
        "history that others write",
        f"CREATE TABLE t (i int); {_BAD}",
        "DROP TABLE t;",
        "SELECT to_regclass('t')::text",
        after="GRANT INSERT ON schema_migrations_history TO public",
    ),
    Construction(
        "publication by hand",
        f"{_T} {_BAD}",
        "DROP TABLE t;",
        "SELECT count(*) FROM pg_publication_tables",
        after="CREATE PUBLICATION mine FOR TABLE t",
    ),
    Construction(
        "sequence owned by a column by hand",
        f"{_T} {_BAD}",
        "DROP TABLE t;",
        _MINE,
        after="CREATE SEQUENCE mine OWNED BY t.i",
    ),
    Construction(
        "partition attached",
        f"CREATE TABLE t (i int) PARTITION BY RANGE (i); {_BAD}",
        "DROP TABLE t;",
        _H,
        "CREATE TABLE h (i int NOT NULL); INSERT INTO h VALUES (7)",
        "ALTER TABLE t ATTACH PARTITION h FOR VALUES FROM (0) TO (9)",
    ),
    Construction(
        "partition attached by the file",
        "CREATE TABLE t (i int) PARTITION BY RANGE (i);"
        f"ALTER TABLE t ATTACH PARTITION h FOR VALUES FROM (0) TO (9); {_BAD}",
        "DROP TABLE t;",
        _H,
        "CREATE TABLE h (i int NOT NULL); INSERT INTO h VALUES (7)",
    ),
    Construction(
        "inheritance",
        f"{_T} {_BAD}",
        "DROP TABLE t CASCADE;",
        _H,
        after="CREATE TABLE h (j int) INHERITS (t); INSERT INTO h VALUES (1, 2)",
    ),
    Construction(
        "renamed table",
        "ALTER TABLE u RENAME TO v; CREATE INDEX CONCURRENTLY i ON v (nosuch);",
        "DROP TABLE v;",
        "SELECT count(*) FROM v",
    ),
    Construction(
        "tables that exchange their names",
        f"{_SWAP} CREATE TABLE x (i int); {_BAD} CREATE TABLE y (i int);",
        f"{_SWAP} DROP TABLE y; DROP TABLE x;",
        _IS_DIRTY,
        base=_PAIR,
    ),
    Construction(
        "tables that exchange their names in the down",
        f"{_T} {_BAD}",
        f"{_SWAP} DROP TABLE t;",
        "SELECT count(*) FROM a",
        base=_PAIR,
    ),
    Construction(
        "columns that exchange their names",
        "ALTER TABLE u RENAME a TO c; ALTER TABLE u RENAME b TO a; ALTER TABLE u RENAME c TO b;"
        f"CREATE TABLE x (i int); {_BAD}",
        "DROP TABLE x;",
        _IS_DIRTY,
        base="ALTER TABLE u ADD a int, ADD b int;",
    ),
    Construction(
        "sequence restarted",
        f"CREATE TABLE x (i int); ALTER SEQUENCE s RESTART; {_BAD}",
        "DROP TABLE x;",
        _IS_DIRTY,
        base="CREATE SEQUENCE s;",
    ),
    Construction(
        "triggers disabled",
        f"CREATE TABLE x (i int); ALTER TABLE u DISABLE TRIGGER ALL; {_BAD}",
        "DROP TABLE x;",
        _IS_DIRTY,
    ),
    Construction(
        "values multiplied, and the rest undone by hand",
        "CREATE TABLE x (i int); ALTER TABLE u ALTER id TYPE int USING id * 100;"
        f"CREATE TABLE y (i int); {_BAD}",
        "DROP TABLE x;",
        _IS_DIRTY,
        after="DROP TABLE x, y",
    ),
    Construction(
        "explained change of rows, and the rest undone by hand",
        f"CREATE TABLE x (i int); EXPLAIN ANALYZE UPDATE u SET name = name || '!'; {_BAD}",
        "DROP TABLE x;",
        _IS_DIRTY,
        after="DROP TABLE x",
    ),
    Construction(
        "altered table dropped",
        f"ALTER TABLE u ADD COLUMN x int; {_BAD}",
        "DROP TABLE u;",
        _COUNT_U,
    ),
    Construction(
        "renamed by hand into its place",
        f"{_T} {_BAD}",
        "DROP TABLE t;",
        "SELECT count(*) FROM t",
        "CREATE TABLE h (i int); INSERT INTO h VALUES (7)",
        "ALTER TABLE t RENAME TO gone; ALTER TABLE h RENAME TO t; DROP TABLE gone",
    ),
    Construction(
        "truncate before the failure",
        f"{_T} TRUNCATE u; {_BAD}",
        "DROP TABLE t;",
        _IS_DIRTY,
    ),
    Construction(
        "update before the failure",
        f"UPDATE u SET name = 'x'; {_BAD}",
        "SELECT 1;",
        _IS_DIRTY,
    ),
    Construction(
        "update of a new column",
        f"ALTER TABLE u ADD COLUMN x int; UPDATE u SET x = id; {_BAD}",
        "ALTER TABLE u DROP COLUMN x;",
        _X,
    ),
    Construction(
        "insert on conflict",
        f"{_T} INSERT INTO u VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = 'x'; {_BAD}",
        "DROP TABLE t;",
        _IS_DIRTY,
    ),
    Construction(
        "drop before the failure",
        f"CREATE TABLE t (LIKE u); DROP TABLE u; {_BAD}",
        "DROP TABLE t; CREATE TABLE u (id int PRIMARY KEY, name text);",
        _IS_DIRTY,
    ),
    Construction(
        "values converted",
        f"ALTER TABLE u ALTER name TYPE int USING length(name); {_BAD}",
        "ALTER TABLE u ALTER name TYPE text;",
        _IS_DIRTY,
    ),
    Construction(
        "schema dropped",
        f"CREATE SCHEMA IF NOT EXISTS s; {_BAD}",
        "DROP SCHEMA s CASCADE;",
        "SELECT count(*) FROM s.h",
        "CREATE SCHEMA s; CREATE TABLE s.h (i int)",
    ),
    Construction(
        "new schema filled by hand",
        f"CREATE SCHEMA s; {_BAD}",
        "DROP SCHEMA s CASCADE;",
        "SELECT count(*) FROM s.h",
        after="CREATE TABLE s.h (i int); INSERT INTO s.h VALUES (1)",
    ),
    Construction(
        "type used by hand",
        f"CREATE TYPE mood AS ENUM ('ok'); {_BAD}",
        "DROP TYPE mood CASCADE;",
        "SELECT count(m) FROM u",
        after="ALTER TABLE u ADD COLUMN m mood DEFAULT 'ok'",
    ),
    Construction(
        "extension",
        f"CREATE EXTENSION IF NOT EXISTS citext; {_BAD}",
        "DROP EXTENSION citext CASCADE;",
        "SELECT count(e) FROM u",
        "CREATE EXTENSION citext; ALTER TABLE u ADD COLUMN e citext DEFAULT 'x'",
    ),
    Construction(
        "function replaced",
        f"CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'; {_BAD}",
        "DROP FUNCTION f;",
        "SELECT to_regproc('f')::text",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
    Construction(
        "sequence by hand",
        f"CREATE SEQUENCE IF NOT EXISTS mine; {_BAD}",
        "DROP SEQUENCE mine;",
        _MINE,
        "CREATE SEQUENCE mine; SELECT nextval('mine')",
    ),
    Construction(
        "owner changed",
        f"{_T} {_BAD}",
        "DROP TABLE t;",
        "SELECT count(*) FROM t",
        after="INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO pg_database_owner",
    ),
    Construction(
        "another database's tables in a rule",
        f"{_T} {_BAD}",
        "DROP TABLE t;",
        "SELECT count(*) FROM pg_rules WHERE rulename = 'mine'",
        after="CREATE RULE mine AS ON INSERT TO t DO ALSO DELETE FROM u",
    ),
)


def dirty(database: Database, folder: Path, one: Construction) -> Migrator:
    """A database that a file left in its middle."""
    (folder / "1_u.up.sql").write_text(_BASE + one.base)
    (folder / "1_u.down.sql").write_text("DROP TABLE u;")
    (folder / "2_x.up.sql").write_text(one.up)
    (folder / "2_x.down.sql").write_text(one.down)
    migrator = Migrator(database.url, folder)
    migrator.up(1)
    if one.before:
        database.psql(one.before)
    with suppress(MigrationFailed):
        migrator.up()
    if one.after:
        database.psql(one.after)
    return migrator


def found(migrator: Migrator, database: Database) -> Diagnosis:
    """Return the diagnosis, with the server's own databases as scratch."""
    diagnosis = migrator.diagnose(database.server.url())
    assert diagnosis is not None
    return diagnosis


@pytest.mark.parametrize("one", CONSTRUCTIONS, ids=lambda one: one.name)
def test_nothing_is_lost(database: Database, tmp_path: Path, one: Construction) -> None:
    """What somebody would miss is there as before, whatever repair made of the rest."""
    migrator = dirty(database, tmp_path, one)
    there = database.psql(one.look)
    assert migrator.version().dirty
    with suppress(RungError):
        migrator.repair(found(migrator, database))

    assert database.psql(one.look) == there


def test_what_a_file_made_is_rolled_back(database: Database, tmp_path: Path) -> None:
    """It is empty, it was made by the attempt, and nothing else hangs on it."""
    up = f"{_T} CREATE INDEX ti ON t (i); CREATE VIEW w AS SELECT * FROM t; {_BAD}"
    one = Construction("", up, "DROP VIEW w; DROP TABLE t;", "")
    migrator = dirty(database, tmp_path, one)
    diagnosis = found(migrator, database)

    assert diagnosis.rollback is not None
    assert (diagnosis.rollback.proof.value, diagnosis.rollback.row_losses) == ("proved", ())
    migrator.repair(diagnosis)
    assert database.psql("SELECT to_regclass('t'), to_regclass('w')") == [(None, None)]
    assert (migrator.version().version, migrator.version().dirty) == (1, False)


def test_rows_are_lost_by_a_word_of_its_own(database: Database, tmp_path: Path) -> None:
    """They are listed with their exact number."""
    after = "INSERT INTO t VALUES (1), (2)"
    one = Construction("", f"{_T} {_BAD}", "DROP TABLE t;", "", after=after)
    migrator = dirty(database, tmp_path, one)
    diagnosis = found(migrator, database)
    with pytest.raises(RepairUndecided, match=r"would lose table public\.t \(2 rows\)"):
        migrator.repair(diagnosis)
    migrator.repair(diagnosis, allow_data_loss=True)

    assert database.psql("SELECT to_regclass('t')") == [(None,)]


def test_rows_that_come_in_between(database: Database, tmp_path: Path) -> None:
    """The rollback fails where the table is not as it was counted."""
    one = Construction("", f"{_T} {_BAD}", "DROP TABLE t;", "")
    migrator = dirty(database, tmp_path, one)
    diagnosis = found(migrator, database)
    database.psql("INSERT INTO t VALUES (1)")
    with pytest.raises(MigrationFailed, match="has changed since its rows were counted"):
        migrator.repair(diagnosis)

    assert database.psql("SELECT count(*) FROM t") == [(1,)]
    assert migrator.version().dirty


@pytest.mark.parametrize(
    ("hold", "reason"),
    [
        ("INSERT INTO t VALUES (1)", "a table that it needs is locked"),
        ("LOCK TABLE t", "locked"),
    ],
)
def test_a_table_in_use(database: Database, tmp_path: Path, hold: str, reason: str) -> None:
    """A dry run waits for nobody; what nobody has committed yet is no row that may go."""
    one = Construction("", f"{_T} {_BAD}", "DROP TABLE t;", "")
    migrator = dirty(database, tmp_path, one)
    with psycopg.connect(database.url) as holder:
        holder.execute(hold.encode())
        rollback = found(migrator, database).rollback
        holder.commit()

    assert rollback is not None
    assert rollback.proof is Proof.NOT_PROVED
    assert reason in rollback.reason


def test_a_table_that_is_large(database: Database, tmp_path: Path) -> None:
    """It is not locked to try something out."""
    after = "INSERT INTO t SELECT generate_series(1, 100001)"
    one = Construction("", f"{_T} {_BAD}", "DROP TABLE t;", "", after=after)
    rollback = found(dirty(database, tmp_path, one), database).rollback

    assert rollback is not None
    assert (rollback.proof, rollback.reason) == (
        Proof.NOT_PROVED,
        "table t has more than 100,000 rows",
    )


def test_a_dry_run_leaves_nothing(database: Database, tmp_path: Path) -> None:
    """Neither locks nor changes."""
    one = Construction("", f"{_T} {_BAD}", "DROP TABLE t;", "")
    migrator = dirty(database, tmp_path, one)
    found(migrator, database)

    assert database.psql("SELECT to_regclass('t')::text") == [("t",)]
    assert migrator.version().dirty


_COPY = (
    "CREATE TABLE copied AS SELECT * FROM u; VACUUM; DELETE FROM u;"
    "INSERT INTO u SELECT * FROM copied; DROP TABLE copied;"
)


def test_a_likeness_is_not_resumed(database: Database, tmp_path: Path) -> None:
    """Another tool's file failed at its first statement: the rest would lose the rows."""
    (tmp_path / "1_u.up.sql").write_text(_BASE)
    (tmp_path / "2_x.up.sql").write_text(_COPY)
    migrator = Migrator(database.url, tmp_path)
    migrator.up(1)
    database.psql("CREATE TABLE copied AS SELECT * FROM u WHERE false")
    database.psql("UPDATE schema_migrations SET version = 2, dirty = true")
    diagnosis = found(migrator, database)

    assert diagnosis.action is None
    with pytest.raises(RepairUndecided):
        migrator.repair(diagnosis)
    assert database.psql(_COUNT_U) == [(5,)]
