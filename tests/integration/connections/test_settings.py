"""What is set for a session holds in every file, whatever a file before it has set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.connections.refusing import refusing_options

from rung.database import Database as Named
from rung.drivers.postgres.connect import SessionSettings
from rung.events import Warned
from rung.migrator import Migrator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Database

    from rung.events import Event

_WHO = (
    "INSERT INTO aside.seen VALUES ({}, current_user, current_setting('search_path'), "
    "current_setting('statement_timeout'));\n"
)
_RESETS = "RESET ALL; RESET ROLE; SET search_path TO DEFAULT;\nRESET statement_timeout;\n"


@pytest.fixture(params=["taken", "refused"])
def url(request: pytest.FixtureRequest, database: Database) -> Iterator[str]:
    """Return the database's URL, and one through a proxy that rejects options at connect."""
    database.psql(
        "CREATE SCHEMA s2; CREATE SCHEMA aside; CREATE TABLE aside.seen "
        "(n int, who name, path text, time text); "
        "DROP ROLE IF EXISTS owner_of_s2; CREATE ROLE owner_of_s2; "
        "ALTER SCHEMA s2 OWNER TO owner_of_s2; ALTER SCHEMA aside OWNER TO owner_of_s2; "
        "ALTER TABLE aside.seen OWNER TO owner_of_s2"
    )
    settings = "search_path=s2&statement_timeout=50s"
    if request.param == "taken":
        yield f"{database.url}&{settings}"
    else:
        with refusing_options(database) as url:
            yield f"{url}&{settings}"
    database.psql("DROP SCHEMA s2, aside CASCADE; DROP ROLE owner_of_s2")


def _write(folder: Path, *texts: str) -> None:
    for number, text in enumerate(texts, 1):
        (folder / f"{number}_m.up.sql").write_text(text)


def test_every_file_begins_alike(url: str, database: Database, tmp_path: Path) -> None:
    """Role, path and timeout are set before each file, and again after a file that resets them."""
    _write(
        tmp_path,
        _WHO.format(1),
        "SET ROLE NONE; SET search_path = public; SET statement_timeout = 0;",
        _WHO.format(3) + _RESETS + _WHO.format(3),
        "BEGIN;" + _WHO.format(4) + "SET LOCAL ROLE NONE; COMMIT;",
        "VACUUM aside.seen;",
        _WHO.format(6),
    )
    Migrator(Named(url, role="owner_of_s2"), tmp_path).up()

    seen = database.psql("SELECT DISTINCT n, who, path, time FROM aside.seen ORDER BY n")
    begun = [row for row in seen if row[1] == "owner_of_s2"]
    assert begun == [(n, "owner_of_s2", "s2", "50s") for n in (1, 3, 4, 6)]


def test_all_is_the_roles(url: str, database: Database, tmp_path: Path) -> None:
    """Ledger, history and the files' tables belong to the role."""
    _write(tmp_path, "CREATE TABLE a (x int);", "VACUUM aside.seen;", "SET ROLE NONE;")
    Migrator(Named(url, role="owner_of_s2"), tmp_path).up()

    owners = database.psql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 's2'")
    assert owners == [("owner_of_s2",)]


def test_a_file_that_lays_the_role_down(url: str, database: Database, tmp_path: Path) -> None:
    """Ledger and history are written in the role, though who connected may not write them."""
    database.psql(
        "DROP ROLE IF EXISTS app_of_s2; CREATE ROLE app_of_s2 LOGIN IN ROLE owner_of_s2 NOINHERIT"
    )
    _write(tmp_path, "SELECT 1;", "SET ROLE NONE;", "BEGIN; SET ROLE NONE; COMMIT;")
    named = url.replace("postgresql://postgres@", "postgresql://app_of_s2@")
    assert named != url

    Migrator(Named(named, role="owner_of_s2"), tmp_path).up()

    assert database.psql("SELECT version FROM s2.schema_migrations") == [(3,)]
    database.psql("DROP ROLE app_of_s2")


def test_a_role_is_nothing_carried_over(url: str, tmp_path: Path) -> None:
    """A role that we took on ourselves is not told as one that a file left behind."""
    _write(tmp_path, "SELECT 1;", "SET lock_timeout = 5;", "SET ROLE NONE;", "SELECT 1;")
    said: list[Event] = []
    Migrator(Named(url, role="owner_of_s2"), tmp_path, listener=said.append).up()

    told = [event.message for event in said if isinstance(event, Warned)]
    assert ["lock_timeout" in told[0], "role" in told[1], len(told)] == [True, True, 2]


def test_a_role_that_is_not_ours(database: Database, tmp_path: Path) -> None:
    """It is refused at connect, with the server's reason."""
    with pytest.raises(Exception, match="no_such_role"):
        Migrator(Named(database.url, role="no_such_role"), tmp_path).version()


@pytest.mark.parametrize(
    "path", ["z,a_b", '"A b", Z', ' "x""y" ,"$user",z', '"a,b",z', "z", 'Z , "z"', '"$user",public']
)
def test_paths_are_read_as_the_server_reads_them(path: str, database: Database) -> None:
    """Put by SET, a path means what it means among the options."""
    database.psql(
        'CREATE SCHEMA z; CREATE SCHEMA "A b"; CREATE SCHEMA "a b"; CREATE SCHEMA "x""y"; '
        'CREATE SCHEMA "a,b"; CREATE SCHEMA postgres'
    )
    (put,) = SessionSettings((("search_path", path),)).for_session
    escaped = path.replace(" ", "\\ ")
    with database.connect(options=f"-c search_path={escaped}") as one, database.connect() as other:
        other.execute(put.encode())
        found = [
            connection.execute("SELECT current_schemas(false)").fetchone()
            for connection in (one, other)
        ]

    assert found[0] == found[1] is not None
