"""A stamp that is equal means a schema that is equal, whatever changed it in between."""

from __future__ import annotations

import pickle
import random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from rung.cancellation import CancelToken
from rung.database import Database as Named
from rung.drivers import open_driver
from rung.drivers.postgres.snapshot import read_snapshot, read_stamp
from rung.drivers.postgres.tables import names_of
from rung.drivers.postgres.wire import Wire

if TYPE_CHECKING:
    from tests.servers import Database

_NAMES = ("a", "b", "c")
_DDL = (
    *("CREATE TABLE {x} (id int, note text)", "DROP TABLE {x} CASCADE", "CREATE TABLE {x} (y int)"),
    *("ALTER TABLE {x} ADD COLUMN {y} int", "ALTER TABLE {x} DROP COLUMN {y}"),
    *("ALTER TABLE {x} RENAME TO {y}", "ALTER TABLE {x} SET (fillfactor = 50)"),
    *("CREATE INDEX {y}_i ON {x} (id)", "DROP INDEX {y}_i", "COMMENT ON TABLE {x} IS '{y}'"),
    *("GRANT SELECT ON {x} TO public", "REVOKE SELECT ON {x} FROM public"),
    *("CREATE VIEW {y}_v AS SELECT 1 AS one", "DROP VIEW {y}_v"),
    *("ALTER TABLE {x} ALTER id SET DEFAULT 5", "ALTER TABLE {x} ALTER id DROP DEFAULT"),
    *("CREATE FUNCTION {x}_f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION {x}_f()"),
    *("ANALYZE", "INSERT INTO {x} VALUES (1)", "SELECT 1"),
)
_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s")
_ALONE = ("VACUUM FULL pg_attribute", "VACUUM FREEZE pg_class", "VACUUM FULL pg_class")
_STEPS = 30


@pytest.mark.parametrize("seed", range(4))
def test_an_equal_stamp_is_an_equal_schema(seed: int, database: Database) -> None:
    """Random DDL of two sessions, in transactions and savepoints, with VACUUM FULL between."""
    drawn = random.Random(seed)
    with database.connect() as one, database.connect() as other:
        seen: dict[Any, str] = {}
        for _ in range(_STEPS):
            session = drawn.choice((one, other))
            sql = drawn.choice(drawn.choice((_DDL, _DDL, _CONTROL, _ALONE)))
            _try(session, sql.format(x=drawn.choice(_NAMES), y=drawn.choice(_NAMES)))
            for reader in (one, other):  # each sees what it has not committed yet
                if reader.info.transaction_status != psycopg.pq.TransactionStatus.INERROR:
                    wire = Wire(reader, CancelToken())
                    stamp, snapshot = read_stamp(wire), read_snapshot(wire, names_of())[1]
                    assert snapshot is not None
                    assert seen.setdefault(stamp, snapshot.text) == snapshot.text


def _try(session: psycopg.Connection[tuple[Any, ...]], sql: str) -> None:
    session.execute("SET lock_timeout = '20ms'") if session.info.transaction_status == 0 else None
    try:
        session.execute(sql.encode())
    except psycopg.Error:
        return  # most of what is drawn does not fit: what fails may have changed something


def test_what_does_not_change_leaves_the_stamp(database: Database) -> None:
    """Rows of tables are no part of it, and reading is not."""
    database.psql("CREATE TABLE t (id int)")
    with open_driver(Named(database.url)).read() as reader:
        before = reader.stamp()
        database.psql("INSERT INTO t VALUES (1), (2)")
        reader.snapshot()

        assert reader.stamp() == before is not None
        database.psql("ALTER TABLE t ADD COLUMN x int")
        assert reader.stamp() != before


def test_without_the_rights_there_is_none(database: Database) -> None:
    """A role that may not read every catalog gets no stamp rather than a part of one."""
    database.psql("CREATE ROLE stamp_reader")
    with open_driver(Named(database.url, role="stamp_reader")).read() as reader:
        assert reader.stamp() is None
    database.psql("DROP ROLE stamp_reader")


def test_a_stamp_is_never_stored(database: Database) -> None:
    """It says nothing once the process that read it has ended."""
    with open_driver(Named(database.url)).read() as reader:
        stamp = reader.stamp()

    with pytest.raises(TypeError, match="this process"):
        pickle.dumps(stamp)
