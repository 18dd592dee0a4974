"""The errors of docs/reference/errors.md that need a server, a role or a signal of their own."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.errors import page
from tests.integration.errors.stage import block

from rung.drivers.postgres.lock import foreign_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.connections.machine import Machine
    from tests.integration.errors.stage import Stage
    from tests.poolers import Pooler
    from tests.servers import Database

NAMES = {
    "no-database-named",
    "unreadable-url",
    "server-not-there",
    "starting-up",
    "shutting-down",
    "wrong-password",
    "no-such-database",
    "behind-a-pooler",
    "a-lost-lock",
    "read-only-session",
    "read-only-role",
    "may-not-create",
    "no-history",
    "locked",
    "table-locked",
    "interrupted",
    "terminated",
    "disk-full",
    "large-file",
}


def printed(stage: Stage, name: str, command: str = "up") -> int:
    """Run a command whose block stands on the page; its exit code."""
    code, text = stage.run(*shlex.split(command))
    page.check(name, block([f"rung {command}"], stage.shown(text), code))
    return code


@pytest.fixture
def role(stage: Stage) -> Iterator[str]:
    """Make a role that may log in and nothing else, and have the command use it."""
    name = f"reporter_{os.getpid()}"
    stage.ask(f"CREATE ROLE {name} LOGIN")
    stage.names[name] = "reporter"
    stage.variables["PGUSER"] = name
    stage.url = stage.url.replace("postgres@", f"{name}@")
    yield name
    stage.ask(f"DROP OWNED BY {name}; DROP ROLE {name}")


# --- connections -----------------------------------------------------------------------------


def test_no_database_is_named(stage: Stage) -> None:
    """Nothing is guessed."""
    stage.variables["RUNG_DATABASE"] = ""

    assert printed(stage, "no-database-named") == 2


def test_a_url_that_cannot_be_read(stage: Stage) -> None:
    """The part at fault is told, and nothing of the password."""
    stage.url = "postgresql://chat:s3cr@t/pw@db.example.com:5432/chatapp"

    assert printed(stage, "unreadable-url") == 2


def test_a_server_that_is_not_there(own: Stage) -> None:
    """A socket that nobody listens on."""
    own.conninfo = ""

    assert printed(own, "server-not-there") == 7


def test_a_server_that_starts_up(own: Stage, machine: Machine) -> None:
    """One in recovery that takes no connections yet."""
    (machine.data / "standby.signal").touch()
    machine.start(hot_standby="off")
    _await_log(machine, "entering standby mode")

    assert printed(own, "starting-up") == 7


def test_a_server_that_shuts_down(own: Stage, machine: Machine) -> None:
    """One that waits for its last sessions to end."""
    machine.start()
    machine.await_answer()
    with psycopg.connect(machine.conninfo):
        assert machine.process
        machine.process.send_signal(signal.SIGTERM)
        _await_log(machine, "received smart shutdown request")

        assert printed(own, "shutting-down") == 7


def test_a_wrong_password(own: Stage, machine: Machine) -> None:
    """The server's word, and not the password."""
    machine.start()
    machine.await_answer()
    machine.ask("DROP ROLE IF EXISTS ada; CREATE ROLE ada LOGIN PASSWORD 'right'")
    own.url = own.url.replace("postgres@", "ada:wr0ng@")

    assert printed(own, "wrong-password") == 7


def test_a_database_that_is_not_there(stage: Stage, database: Database) -> None:
    """A name that the server does not know."""
    stage.url = database.url.replace(database.name, "chatap")

    assert printed(stage, "no-such-database") == 7


def test_behind_a_transaction_pooler(
    stage: Stage, database: Database, pooler: Callable[..., Pooler]
) -> None:
    """A file that needs one session for all of it is refused before anything runs."""
    stage.write("2_roles.up.sql", "SET maintenance_work_mem = '1GB';\nVACUUM;\n")
    before = stage.facts()
    stage.url = pooler("transaction").url(database)

    assert printed(stage, "behind-a-pooler") == 1
    assert stage.facts() == before


def test_a_lost_lock(stage: Stage, database: Database, pooler: Callable[..., Pooler]) -> None:
    """Behind a pooler another run may take the lease of one that was silent for too long."""
    taken = "UPDATE schema_migrations_lease SET owner = gen_random_uuid();\n"
    stage.write("1_users.up.sql", f"CREATE TABLE users (id int PRIMARY KEY);\n{taken}")
    stage.url = pooler("transaction").url(database)

    assert printed(stage, "a-lost-lock") == 6
    assert stage.ask("SELECT * FROM schema_migrations") == [(1, False)]


# --- rights ----------------------------------------------------------------------------------


def test_a_session_that_takes_no_writes(stage: Stage) -> None:
    """A standby, or a role with default_transaction_read_only; with work to do."""
    stage.variables["PGOPTIONS"] = "-c default_transaction_read_only=on"

    assert printed(stage, "read-only-session") == 1


def test_a_role_that_only_reads(stage: Stage, role: str) -> None:
    """It sees what is pending, and may not write the ledger."""
    stage.ask("CREATE TABLE schema_migrations (version bigint primary key, dirty boolean not null)")
    stage.ask(f"GRANT SELECT ON schema_migrations TO {role}")
    before = stage.facts()

    assert printed(stage, "read-only-role") == 1
    assert stage.facts() == before


def test_a_role_that_may_not_create(stage: Stage, role: str) -> None:
    """The ledger is missing, and the role may not create one."""
    stage.ask(f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role}")

    assert printed(stage, "may-not-create") == 1
    assert stage.ask("SELECT to_regclass('schema_migrations')") == [(None,)]


def test_a_role_without_a_history(stage: Stage, role: str) -> None:
    """No error: it migrates, and reports once what is lost and the grant that resolves it."""
    stage.ask("CREATE TABLE schema_migrations (version bigint primary key, dirty boolean not null)")
    stage.ask("CREATE SCHEMA app")
    stage.ask(f"GRANT ALL ON schema_migrations TO {role}; GRANT ALL ON SCHEMA app TO {role}")
    stage.ask("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    stage.remove("[23]*")
    stage.write("1_users.up.sql", "CREATE TABLE app.users (id int);\n")

    assert printed(stage, "no-history") == 0
    assert stage.ask("SELECT version FROM schema_migrations") == [(1,)]


# --- runs ------------------------------------------------------------------------------------


def test_a_lock_that_is_held(stage: Stage, database: Database) -> None:
    """Who holds it is told."""
    key = foreign_key("public", "schema_migrations", database.name)
    with database.connect(application_name="psql") as other:
        other.execute("SELECT pg_advisory_lock(%s)", [key])

        assert printed(stage, "locked", "up --wait-for-lock 0") == 6


def test_a_table_that_somebody_reads(stage: Stage, database: Database) -> None:
    """Who holds its lock is told, and nothing of the migration is kept."""
    assert stage.run("up", "1")[0] == 0
    stage.write("2_roles.up.sql", "ALTER TABLE users ADD COLUMN name text;\n")
    with psycopg.connect(database.conninfo, application_name="report") as reader:
        reader.execute("SELECT * FROM users")

        assert printed(stage, "table-locked", "up --lock-retry-for 0") == 6
    assert stage.ask("SELECT version, dirty FROM schema_migrations") == [(1, False)]


@pytest.mark.parametrize(
    ("name", "number", "code"),
    [("interrupted", signal.SIGINT, 130), ("terminated", signal.SIGTERM, 143)],
)
def test_a_run_that_is_stopped(stage: Stage, name: str, number: int, code: int) -> None:
    """Twice: the migration under way is cancelled; once: it is finished, and no other begun."""
    seconds = 20 if number == signal.SIGINT else 1
    stage.write("2_roles.up.sql", f"CREATE TABLE roles ();\nSELECT pg_sleep({seconds});\n")
    process = stage.begin("up")
    _await(
        lambda: (
            stage.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
            != [(0,)]
        )
    )
    process.send_signal(number)
    if number == signal.SIGINT:
        time.sleep(0.3)
        process.send_signal(number)
    text = process.communicate(timeout=60)[0]
    page.check(name, block(["rung up"], stage.shown(text), process.returncode))

    assert process.returncode == code
    assert stage.ask("SELECT version, dirty FROM schema_migrations") == [
        (1 if number == signal.SIGINT else 2, False)
    ]


def test_a_full_disk(stage: Stage, small_disk: str) -> None:
    """The server runs out of room in the middle of a migration; it is rolled back."""
    stage.run("up", "1")
    before = stage.facts()
    rows = "INSERT INTO roles SELECT repeat('x', 100) FROM generate_series(1, 400000);\n"
    stage.write(
        "2_roles.up.sql", f"CREATE TABLE roles (name text) TABLESPACE {small_disk};\n{rows}"
    )

    assert printed(stage, "disk-full") == 1
    assert stage.facts() == before


@pytest.fixture
def small_disk(stage: Stage) -> Iterator[str]:
    """A tablespace on a file system of eight megabytes; only root may mount one."""
    # Not below pytest's own folder, which every new run of pytest closes to other accounts.
    place = Path(tempfile.mkdtemp(prefix="rung-disk-", dir="/tmp"))
    place.chmod(0o755)
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0777", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if not mounted or mounted.returncode:
        place.rmdir()
        pytest.skip("no small file system can be mounted here: it takes root")
    name = f"small_{os.getpid()}"
    try:
        yield from _tablespace(stage, place, name)
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def _tablespace(stage: Stage, place: Path, name: str) -> Iterator[str]:
    owner = stage.ask("SELECT current_setting('data_directory')")
    account = Path(owner[0][0]).stat()
    inside = place / "space"
    inside.mkdir()
    os.chown(inside, account.st_uid, account.st_gid)
    stage.ask(f"CREATE TABLESPACE {name} LOCATION '{inside}'")
    stage.names[name] = "small"
    yield name
    stage.ask("DROP TABLE IF EXISTS roles")
    stage.ask(f"DROP TABLESPACE {name}")


def _await(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _await_log(machine: Machine, words: str) -> None:
    _await(lambda: words in (machine.folder / "log").read_text())
