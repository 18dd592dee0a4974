"""Behind PgBouncer: it is noticed, commands work, and nobody else's session is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from rung.cancellation import CancelToken
from rung.cli.main import main
from rung.database import Database as Named
from rung.drivers import open_driver
from rung.migrator import Migrator

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
        found = behind.inspect().place, behind.locate(), direct.inspect().place

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

    with driver.connect(CancelToken()) as session:
        schemas = [
            session.inspect().place.schema,
            session.locate().schema,
            session.inspect().place.schema,
        ]
        versions = [session.inspect().ledger.version for _ in range(2)]

    assert (schemas, versions) == (["s2"] * 3, [7, 7])


@pytest.mark.parametrize(
    ("words", "code", "ledger"),
    [
        (["version"], 0, 7),
        (["status"], 0, 7),
        (["history"], 0, 7),
        (["plan"], 0, 7),
        (["check"], 3, 7),
        (["wait", "7"], 0, 7),
        (["up"], 0, 8),
        (["goto", "8"], 0, 8),
        (["down", "--yes"], 0, 5),
        (["force", "8"], 0, 8),
        (["drop", "--yes"], 0, None),
    ],
)
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_every_command(
    mode: str,
    words: list[str],
    code: int,
    ledger: int | None,
    database: Database,
    pooler: Callable[..., Pooler],
    tmp_path: Path,
) -> None:
    """Each does through a pooler with two connections what it does without one."""
    database.psql(_LEDGER)
    for name in ("5_z", "7_a", "8_b"):
        (tmp_path / f"{name}.up.sql").write_text("CREATE TEMP TABLE t (x int);")
        (tmp_path / f"{name}.down.sql").write_text("SELECT 1;")
    url = pooler(mode, default_pool_size="2").url(database, "search_path=s2")

    assert main([*words, "--database", url, "--source", str(tmp_path)]) == code
    found = database.psql("SELECT to_regclass('s2.schema_migrations') IS NOT NULL")
    assert found == [(ledger is not None,)]
    if ledger is not None:
        assert database.psql("SELECT * FROM s2.schema_migrations") == [(ledger, False)]
