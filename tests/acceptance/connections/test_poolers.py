"""Behind PgBouncer: it is noticed, reading works, and nobody else's session is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from rung.cli.main import main
from rung.database import Database as Named
from rung.drivers import open_driver
from rung.errors import PooledConnection
from rung.migrator import Migrator
from rung.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.poolers import Pooler
    from tests.servers import Database

_LEDGER = (
    "CREATE SCHEMA s2; CREATE TABLE s2.schema_migrations (version bigint not null primary key, "
    "dirty boolean not null); INSERT INTO s2.schema_migrations VALUES (7, false)"
)


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_is_noticed(mode: str, database: Database, pooler: Callable[..., Pooler]) -> None:
    """The process that answers is not the one we were told of; a direct one is."""
    driver = open_driver(Named(pooler(mode).url(database)))
    with driver.read() as behind, open_driver(Named(database.url)).read() as direct:
        found = behind.look().place, behind.locate(), direct.look().place

    assert [place.pooled for place in found] == [True, True, False]


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("ignored", ["", "options"])
def test_reading_through_a_pooler(
    mode: str, ignored: str, database: Database, pooler: Callable[..., Pooler]
) -> None:
    """The URL's settings hold though the pooler refuses them at connect, or passes them over."""
    database.psql(_LEDGER)
    behind = pooler(mode, ignore_startup_parameters=ignored)

    assert Migrator(behind.url(database, "search_path=s2"), "").version().version == 7


def test_nobody_else_inherits_our_settings(
    database: Database, pooler: Callable[..., Pooler]
) -> None:
    """The pool's one server connection is as it was, once we have read through it."""
    database.psql(_LEDGER)
    pool = pooler("transaction", default_pool_size="1", server_reset_query="")
    Migrator(pool.url(database, "search_path=s2&statement_timeout=5s"), "").version()

    with psycopg.connect(pool.url(database), autocommit=True) as other:
        found = other.execute(
            "SELECT current_setting('search_path'), current_setting('statement_timeout')"
        ).fetchone()

    assert found == ('"$user", public', "0")


def test_settings_stay_with_us_behind_a_pooler(
    database: Database, pooler: Callable[..., Pooler]
) -> None:
    """They hold for every message of a session, not only for the first."""
    database.psql(_LEDGER)
    driver = open_driver(Named(pooler("transaction").url(database, "search_path=s2")))

    with driver.connect(Stop()) as session:
        schemas = [
            session.look().place.schema,
            session.locate().schema,
            session.look().place.schema,
        ]
        versions = [session.look().ledger.version for _ in range(2)]

    assert (schemas, versions) == (["s2"] * 3, [7, 7])


def test_runs_are_refused(
    database: Database, pooler: Callable[..., Pooler], tmp_path: Path
) -> None:
    """Nothing is written where no lock would hold."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a ()")
    migrator = Migrator(pooler("transaction").url(database), tmp_path)

    with pytest.raises(PooledConnection):
        migrator.up()
    assert database.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["version"], 0),
        (["status"], 0),
        (["history"], 0),
        (["plan"], 0),
        (["check"], 3),
        (["wait", "7"], 0),
        (["up"], 1),
        (["force", "8"], 1),
        (["drop", "--yes"], 1),
    ],
)
def test_every_command(
    words: list[str],
    code: int,
    database: Database,
    pooler: Callable[..., Pooler],
    tmp_path: Path,
) -> None:
    """What reads works through a transaction pooler; what writes is refused, nothing changed."""
    database.psql(_LEDGER)
    for name in ("7_a.up.sql", "8_b.up.sql"):
        (tmp_path / name).write_text("SELECT 1;")
    url = pooler("transaction").url(database, "search_path=s2")

    assert main([*words, "--database", url, "--source", str(tmp_path)]) == code
    assert database.psql("SELECT * FROM s2.schema_migrations") == [(7, False)]
    assert database.psql("SELECT to_regclass('s2.schema_migrations_history')") == [(None,)]
