"""A service whose database is not as it should be: the state it starts into, and the way out."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from tests.chat.serving import app_of, serving, speaking, until
from tests.integration.chat import FOLDER, NEWEST

import rung
from chatapp.postgres import SOURCE, run_migrations
from rung.errors import VersionNotReached
from rung.integrations.fastapi import Migrations

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Database


def state(client: Any) -> str:  # noqa: ANN401 - a client
    """What the readiness probe says."""
    return str(client("GET", "/ready")["state"])


def bring(database: Database, version: int) -> None:
    """Bring a database to a version of the service's schema."""
    rung.Migrator(database.conninfo, SOURCE).goto(version)


def make_dirty(database: Database) -> None:
    """Leave it as a run that died leaves it."""
    bring(database, NEWEST)
    database.psql("UPDATE schema_migrations SET dirty = true")


def make_ahead(database: Database) -> None:
    """Leave it as a newer release leaves it."""
    bring(database, NEWEST)
    database.psql(f"UPDATE schema_migrations SET version = {NEWEST + 1}")


def make_behind(database: Database) -> None:
    """Leave it at an older version."""
    bring(database, 5)


def make_read_only(database: Database) -> None:
    """Leave it at an older version, and let nobody write."""
    bring(database, 5)
    database.psql(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")


def make_strange(database: Database) -> None:
    """Leave tables in it that nobody accounts for."""
    database.psql("CREATE TABLE users (id int)")


def make_edited(database: Database) -> None:
    """Leave it with an applied migration that says something else than its file."""
    bring(database, NEWEST)
    database.psql(
        "UPDATE schema_migrations_history SET up_checksum = repeat('0', 64), "
        "up_digest = repeat('0', 64) WHERE version = 3"
    )


def repair(database: Database) -> None:
    """Do what a person would do about a ledger that is not right."""
    database.psql(f"ALTER DATABASE {database.name} RESET default_transaction_read_only")
    rung.Migrator(database.conninfo, SOURCE).force(NEWEST)


Act = Callable[["Database"], object]
CASES: list[tuple[Act, str, str, Act | None]] = [
    (make_dirty, "apply", "dirty", repair),
    (make_ahead, "apply", "ahead", repair),
    (make_behind, "check", "behind", lambda database: bring(database, NEWEST)),
    (make_read_only, "apply", "read-only", None),
    (make_strange, "apply", "unversioned", None),
    (make_edited, "apply", "edited", None),
]


@pytest.mark.parametrize(("make", "policy", "expected", "repair"), CASES)
def test_it_starts_into_a_clear_state_and_recovers(
    database: Database,
    caplog: pytest.LogCaptureFixture,
    make: Act,
    policy: str,
    expected: str,
    repair: Act | None,
) -> None:
    """It is alive, rejects requests, gives the reason in probe and log; repaired, it serves."""
    caplog.set_level(logging.INFO, "rung")
    make(database)
    with speaking(app_of(database.conninfo, migrations=policy)) as client:
        until(lambda: state(client) == expected)
        said = client("GET", "/ready")
        others = [client("GET", "/health")["_"], client("POST", "/v1/tokens")]
        if repair is not None:
            repair(database)
            until(lambda: state(client) == "current")
            others.append(client("GET", "/v1/account")["_"])

    assert (said["_"], said["title"], bool(said["detail"])) == (503, "Not ready", True)
    assert (others[0], others[1]["_"], others[1]["state"]) == (200, 503, expected)
    assert others[2:] == ([401] if repair else [])
    assert any(f"Not ready ({expected})" in record.getMessage() for record in caplog.records)


def test_it_waits_for_a_database_that_is_not_there(database: Database) -> None:
    """Started before its database, it says so, and migrates when that has come."""
    name = f"{database.name}_late"
    conninfo = database.server.conninfo(name)
    with speaking(app_of(conninfo)) as client:
        until(lambda: state(client) == "down")
        health = client("GET", "/health")["_"]
        with psycopg.connect(database.server.conninfo(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        until(lambda: state(client) == "current")
        served = client.logged_in("ada")("GET", "/v1/account")["_"]
    with psycopg.connect(database.server.conninfo(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    assert (health, served) == (200, 200)


def test_a_database_that_does_not_answer() -> None:
    """Where a server takes the connection and says nothing, the service lives and says so."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql://ada@127.0.0.1:{port}/chat?connect_timeout=2"
        with speaking(app_of(url)) as client:
            first = client("GET", "/ready")
            health = client("GET", "/health")["_"]
            until(lambda: state(client) == "down")
            silent.close()

    assert (first["_"], first["state"], health) == (503, "starting", 200)


def test_probes_are_answered_while_a_migration_waits(database: Database) -> None:
    """While a migration cannot get on, the service lives and says who keeps it, not with what."""
    bring(database, 6)
    with database.connect() as blocking, blocking.transaction():
        blocking.execute("LOCK TABLE conversations IN ACCESS SHARE MODE")
        with speaking(app_of(database.conninfo)) as client:
            until(lambda: "Blocked by process" in client("GET", "/ready").get("detail", ""))
            said, health = client("GET", "/ready"), client("GET", "/health")["_"]
            blocking.execute("ROLLBACK")
            until(lambda: state(client) == "current")

    assert (said["_"], health) == (503, 200)
    assert "version 7: " in said["detail"] or "Waiting for a lock" in said["detail"]
    assert "LOCK TABLE" not in said["detail"]


@pytest.mark.parametrize("settings", [{"compatible_up_to": NEWEST + 1}, {"if_ahead": "ok"}])
def test_an_older_release_serves_a_compatible_database(
    database: Database, settings: dict[str, Any]
) -> None:
    """After a rollback the older release serves where it is told that the newer schema suits it."""
    make_ahead(database)
    with speaking(app_of(database.conninfo, **settings)) as client:
        until(lambda: client("GET", "/ready")["_"] == 200)
        said = client("GET", "/ready")

    assert (said["state"], said["version"]) == ("ahead", NEWEST + 1)


def test_an_older_release_serves_where_the_newer_says_so(
    database: Database, tmp_path: Path
) -> None:
    """The newer release's migration declares that the older suits it; no setting is needed."""
    for file in FOLDER.glob("*.sql"):
        shutil.copy(file, tmp_path)
    says = f"-- rung: compatible-with {NEWEST}\nALTER TABLE users ADD COLUMN pinned boolean;"
    (tmp_path / f"{NEWEST + 1}_pinned.up.sql").write_text(says)
    rung.run_migrations(database.conninfo, tmp_path)
    with speaking(app_of(database.conninfo)) as client:
        until(lambda: client("GET", "/ready")["_"] == 200)
        said = client("GET", "/ready")

    assert (said["state"], said["version"]) == ("ahead", NEWEST + 1)
    assert "declared compatible" in said["detail"]


def test_compatible_up_to_a_version_and_no_further(database: Database) -> None:
    """A version above the one that is known to suit keeps the release from serving."""
    make_ahead(database)
    database.psql(f"UPDATE schema_migrations SET version = {NEWEST + 2}")
    with speaking(app_of(database.conninfo, compatible_up_to=NEWEST + 1)) as client:
        until(lambda: state(client) == "ahead")

        assert client("GET", "/ready")["_"] == 503


def test_ignore_does_not_look(database: Database) -> None:
    """With policy "ignore" it is ready at once, on a database that it could not serve."""
    with speaking(app_of(database.conninfo, migrations="ignore")) as client:
        said = client("GET", "/ready")

    assert (said["_"], said["state"]) == (200, "unchecked")
    assert database.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


async def enter(migrations: Migrations) -> str:
    """Start and end a service's lifespan; its state in between."""
    async with migrations.lifespan(None):
        return migrations.readiness.state


def test_a_ledger_ahead_of_the_schema(database: Database) -> None:
    """With the wrong number written into the ledger by hand it does not serve, and says why."""
    bring(database, 5)
    database.psql("DROP TABLE schema_migrations_history")
    database.psql(f"UPDATE schema_migrations SET version = {NEWEST}")
    for policy in ("check", "apply", "apply"):  # the last finds the baseline recorded
        with speaking(app_of(database.conninfo, migrations=policy)) as client:
            until(lambda: state(client) == "incomplete")
            said = client("GET", "/ready")
    rung.Migrator(database.conninfo, SOURCE).force(5)
    with speaking(app_of(database.conninfo)) as client:
        until(lambda: state(client) == "current")

    assert (said["_"], said["version"]) == (503, NEWEST)
    assert 'column "provider" of messages (000006_add_provider_field.up.sql)' in said["detail"]


def test_what_it_does_not_use_may_be_absent(database: Database) -> None:
    """An index that was never made does not keep it from serving: no statement names it."""
    bring(database, 7)
    database.psql("DROP TABLE schema_migrations_history")
    database.psql("DROP INDEX conversation_summaries_last_message_id_idx")
    with speaking(app_of(database.conninfo)) as client:
        until(lambda: state(client) == "current")

    assert len(rung.Migrator(database.conninfo, SOURCE).absent().names) == 1


def test_require_does_not_start(database: Database) -> None:
    """With policy "require" a service does not start on a database that is behind or dirty."""
    required = Migrations(database.conninfo, SOURCE, policy="require")
    bring(database, 6)
    with pytest.raises(VersionNotReached):
        asyncio.run(enter(required))
    bring(database, NEWEST)
    ready = asyncio.run(enter(required))
    make_dirty(database)
    with pytest.raises(rung.RungError, match=f"dirty at version {NEWEST}"):
        asyncio.run(enter(required))

    assert ready == "current"


def test_a_migration_that_fails_keeps_it_from_serving(database: Database) -> None:
    """A refused migration leaves the database clean, is told of, and is tried again later."""
    bring(database, 6)
    database.psql("CREATE TABLE conversation_summaries (id int)")
    with speaking(app_of(database.conninfo)) as client:
        until(lambda: state(client) == "failed")
        said = client("GET", "/ready")
        database.psql("DROP TABLE conversation_summaries")
        until(lambda: state(client) == "current")

    assert database.psql("SELECT version, dirty FROM schema_migrations") == [(NEWEST, False)]
    assert 'relation "conversation_summaries" already exists' in said["detail"]


def test_several_replicas_migrate_once(database: Database) -> None:
    """Replicas that start at once all become ready, and each migration has run once."""
    apps = [app_of(database.conninfo) for _ in range(3)]
    with speaking(apps[0]) as first, serving(apps[1]) as second, serving(apps[2]) as third:
        for address in ("", second, third):
            until(lambda where=f"{address}/ready": first("GET", where)["_"] == 200)
    runs = database.psql("SELECT version, count(*) FROM schema_migrations_history GROUP BY 1")

    assert sorted(runs) == [(version, 1) for version in range(1, NEWEST + 1)]


def test_a_run_under_way_is_not_called_dirty(database: Database, tmp_path: Path) -> None:
    """Who only checks is told of the run that goes on, not to repair what it is at."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE t (x int);")
    (tmp_path / "2_b.up.sql").write_text("CREATE INDEX CONCURRENTLY i ON t (x);")
    rung.Migrator(database.conninfo, tmp_path).up(1)
    checking = Migrations(database.conninfo, tmp_path, policy="check", check_interval=0.1)
    with database.connect() as blocking, ThreadPoolExecutor() as threads:
        blocking.execute("BEGIN")
        blocking.execute("INSERT INTO t VALUES (1)")
        job = threads.submit(rung.run_migrations, database.conninfo, tmp_path)
        until(lambda: database.psql("SELECT dirty FROM schema_migrations") == [(True,)])
        seen = asyncio.run(before_and_behind(checking, lambda: blocking.execute("ROLLBACK")))

    assert (seen, job.result().version) == (["locked", "current"], 2)


async def before_and_behind(checking: Migrations, act: Callable[[], object]) -> list[str]:
    """Say what a service finds at first, and once something was done and it is ready."""
    async with checking.lifespan(None):
        while checking.readiness.state == "starting":  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.02)
        first = checking.readiness.state
        act()
        while not checking.readiness.ready:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.02)
        return [first, checking.readiness.state]


def test_a_shutdown_rolls_the_migration_back(database: Database) -> None:
    """Ended while a migration waits, the service cancels it; the database stays clean."""

    async def start_and_end() -> str:
        async with migrations.lifespan(None):
            while migrations.readiness.state != "migrating":  # noqa: ASYNC110 - it is set by a thread
                await asyncio.sleep(0.02)
        return migrations.readiness.state

    bring(database, 6)
    migrations = Migrations(database.conninfo, SOURCE, grace=0.1)
    with database.connect() as blocking, blocking.transaction():
        blocking.execute("LOCK TABLE conversations IN ACCESS SHARE MODE")
        asyncio.run(start_and_end())

    assert database.psql("SELECT version, dirty FROM schema_migrations") == [(6, False)]


def test_the_applications_logging_is_left_alone(database: Database) -> None:
    """Records go to the logger "rung"; no handler is added and no level is set."""
    loggers = [logging.getLogger(), logging.getLogger("rung"), logging.getLogger("chatapp")]
    before = [(one.handlers[:], one.level) for one in loggers]
    with speaking(app_of(database.conninfo)) as client:
        until(lambda: state(client) == "current")
    after = [(one.handlers[:], one.level) for one in loggers]

    assert before == after


def test_migrations_can_run_before_the_service(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`run_migrations` does it at once, for a job, with the settings of the environment."""
    monkeypatch.setenv("CHAT_DATABASE_URL", database.conninfo)
    monkeypatch.setenv("CHAT_TOKEN_SECRET", "x" * 32)

    assert [run_migrations().version, run_migrations().nothing_to_do] == [NEWEST, True]
