"""What files may do on scratch: nothing that leaves the database, whoever wrote them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.cancellation import CancelToken
from rung.database import Database
from rung.drivers import open_driver
from rung.errors import MigrationFailed, ScratchFailed
from rung.events import Warned
from rung.scratch import scratch_of
from rung.script import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.engine.sites import Site

    from rung.drivers.contract import Session

_PROGRAM = "COPY t FROM PROGRAM 'touch {mark}'"
_ROLES = ("pg_execute_server_program", "pg_read_server_files", "pg_write_server_files")
_TRIES = {
    "plain": _PROGRAM,
    "reset role": f"RESET ROLE; {_PROGRAM}",
    "reset authorization": f"RESET SESSION AUTHORIZATION; {_PROGRAM}",
    "set role": f"SET ROLE rung_scratch_first; {_PROGRAM}",
    "set authorization": f"SET SESSION AUTHORIZATION rung_scratch_first; {_PROGRAM}",
    "in a DO": "DO $$ BEGIN EXECUTE 'COPY t FROM PROGRAM ''touch {mark}'''; "
    "EXCEPTION WHEN OTHERS THEN NULL; END $$",
    "its own attributes": f"ALTER ROLE current_user SUPERUSER; {_PROGRAM}",
    "a role it makes": f"CREATE ROLE more IN ROLE {_ROLES[0]}; SET ROLE more; {_PROGRAM}",
    "a superuser it makes": f"CREATE ROLE more SUPERUSER; SET ROLE more; {_PROGRAM}",
    **{
        f"grants itself {role}": f"GRANT {role} TO CURRENT_USER; {_PROGRAM}; "
        "COPY t TO '{mark}'; COPY t FROM '/etc/passwd'"
        for role in _ROLES
    },
    "to a file": "COPY t TO '{mark}'",
    "a large object": "SELECT lo_export(lo_create(7), '{mark}')",
    "adminpack": "CREATE EXTENSION adminpack; SELECT pg_file_write('{mark}', 'x', false)",
    "dblink": "CREATE EXTENSION dblink; "
    "SELECT dblink_exec('user=postgres', 'COPY (SELECT 1) TO ''{mark}''')",
    "postgres_fdw": "CREATE EXTENSION postgres_fdw",
    "file_fdw": "CREATE EXTENSION file_fdw",
    "python": "CREATE EXTENSION plpython3u; CREATE LANGUAGE plpython3u",
    "a C function": "CREATE FUNCTION f(text) RETURNS int LANGUAGE c AS '$libdir/adminpack', 'x'; "
    "CREATE FUNCTION s(cstring) RETURNS int LANGUAGE c AS 'libc.so.6', 'system'",
    "a library": "LOAD '/tmp/x.so'",
    "the server's settings": "ALTER SYSTEM SET archive_command = 'touch {mark}'",
    "an event trigger": "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS "
    "'BEGIN END'; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e()",
    "a file as text": "INSERT INTO t SELECT pg_read_file('/etc/passwd'); SELECT pg_ls_dir('/')",
    "a file as a large object": "INSERT INTO t SELECT lo_import('/etc/passwd')::text",
    "every role": "DO $$ DECLARE one name; BEGIN FOR one IN SELECT rolname FROM pg_roles LOOP "
    "BEGIN EXECUTE format('GRANT %I TO CURRENT_USER', one); EXCEPTION WHEN OTHERS THEN NULL; END; "
    f"END LOOP; END $$; {_PROGRAM}",
    "everything's rows": "GRANT pg_write_all_data, pg_read_all_data TO CURRENT_USER; "
    f"UPDATE pg_authid SET rolsuper = true; {_PROGRAM}",
    "a catalog": f"UPDATE pg_catalog.pg_authid SET rolsuper = true; {_PROGRAM}",
    "another owner of a function": "CREATE FUNCTION g() RETURNS void LANGUAGE sql SECURITY DEFINER "
    "AS $g$COPY t TO PROGRAM 'touch {mark}'$g$; "
    f"ALTER FUNCTION g() OWNER TO {_ROLES[0]}; SELECT g()",
    "a language": "CREATE FUNCTION s(cstring) RETURNS int LANGUAGE internal AS 'pg_read_file'; "
    "UPDATE pg_language SET lanpltrusted = true",
    "a superuser's password": "ALTER ROLE rung_scratch_first LOGIN PASSWORD 'x'; "
    "DO $$ BEGIN EXECUTE (SELECT string_agg(format($f$ALTER ROLE %I PASSWORD 'x'$f$, rolname), ';')"
    " FROM pg_roles WHERE rolsuper); END $$",
    "a subscription": "CREATE SUBSCRIPTION s CONNECTION 'dbname=postgres user=postgres' "
    "PUBLICATION p",
    "a setting of every role": "ALTER ROLE ALL SET session_preload_libraries = 'x'",
    "other databases": "DROP DATABASE postgres WITH (FORCE); ALTER DATABASE postgres RENAME TO p; "
    "ALTER DATABASE postgres CONNECTION LIMIT 0",
    "other sessions": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid()",
    "a tablespace": "CREATE TABLESPACE s LOCATION '/tmp'",
}
_GAINED = """
SELECT rolsuper OR rolreplication OR rolbypassrls
       OR pg_has_role(oid, 'pg_read_server_files', 'MEMBER')
       OR pg_has_role(oid, 'pg_execute_server_program', 'MEMBER')
       OR pg_has_role(oid, 'pg_write_server_files', 'MEMBER')
  FROM pg_roles WHERE rolname = session_user
"""
_OTHERS = """
SELECT 1 / (SELECT (count(*) = 1)::int FROM pg_database
             WHERE datname = 'postgres' AND datconnlimit = -1)
"""


@contextmanager
def opened(site: Site, role: str, scratch: str | None) -> Iterator[Session]:
    """A session on a scratch database of a role's."""
    driver = open_driver(Database(site.database.url.replace("postgres@", f"{role}@", 1)))
    with (
        driver.connect(CancelToken()) as live,
        scratch_of(driver, live, scratch, lambda _: None) as made,
        made.open(made.new()) as session,
    ):
        yield session


@pytest.fixture(params=["postgres", "makes_roles"])
def role(site: Site, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a superuser, and one that up to PostgreSQL 15 could make itself nearly one."""
    if request.param == "postgres":
        yield "postgres"
        return
    name = f"maker_{site.database.name}"
    site.ask(f"CREATE ROLE {name} LOGIN CREATEROLE CREATEDB")
    yield name
    site.ask(f"DROP ROLE {name}")


@pytest.mark.parametrize("where", ["embedded", "named"])
def test_nothing_leaves_the_database(site: Site, role: str, where: str, tmp_path: Path) -> None:
    """Neither a program nor a file of the server, by any way that we know."""
    tmp_path.chmod(0o777)
    marks = tmp_path / "marks"
    marks.mkdir()
    marks.chmod(0o777)
    url = site.database.url.replace("postgres@", f"{role}@", 1) if where == "named" else None
    with opened(site, role, url) as session:
        session.run_unrecorded(read("CREATE TABLE t (line text)"), 1, 1)
        for number, text in enumerate(_TRIES.values()):
            script = read(f"RESET ROLE; {text.format(mark=marks / str(number))}")
            for at in range(1, len(script.statements) + 1):
                session.run_unrecorded(script, at, at)
        read_in = session.run_unrecorded(read("SELECT 1 / (1 - (count(*) > 0)::int) FROM t"), 1, 1)
        gained = session.run_unrecorded(read(f"SELECT 1 / (1 - ({_GAINED})::int)"), 1, 1)
        others = session.run_unrecorded(read(_OTHERS), 1, 1)

    assert list(marks.iterdir()) == []
    assert (read_in.failure, gained.failure, others.failure) == (None, None, None)
    assert site.ask("SELECT 1 FROM pg_roles WHERE rolname LIKE 'rung_scratch%'") == []


def test_a_superusers_password_is_asked_for_on_our_server(site: Site) -> None:
    """An extension that connects to its own server cannot come as a superuser."""
    driver = open_driver(Database(site.database.url))
    with (
        driver.connect(CancelToken()) as live,
        scratch_of(driver, live, None, lambda _: None) as made,
        made.open(made.new()) as session,
    ):
        names = session.server_context().roles
        for name in (one for one in names if one.startswith("rung_scratch")):
            with pytest.raises(Exception, match=r"password|reject"):
                made.driver.sibling(made.url, None, name).connect(CancelToken()).__enter__()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "refused",
    ["CREATE EXTENSION dblink", "CREATE EXTENSION plpython3u", "COPY a TO '/tmp/rung-no-such/x'"],
)
def test_what_scratch_refuses_is_not_the_files_fault(site: Site, refused: str) -> None:
    """It is not proved then, and nothing is done that would undo the file for it."""
    site.add("1_a", f"CREATE TABLE a (); VACUUM a; {refused}; SELECT 1/0;", "DROP TABLE a;")
    failing(MigrationFailed, site.migrator().up)
    error = failing(ScratchFailed, site.migrator().diagnose)

    assert error.cause.startswith("1_a.up.sql cannot be checked, because scratch has no ")
    assert (site.ledger(), site.tables()) == ([(1, True)], {"a"})


def test_roles_and_extensions_of_the_server_are_on_scratch(site: Site) -> None:
    """Files that a superuser ran run there too; the last two statements commit together."""
    name = f"owner_{site.database.name}"
    site.add("1_a", f"CREATE ROLE {name}; CREATE EXTENSION pgstattuple; CREATE TABLE a ();")
    site.add("2_b", f"ALTER TABLE a OWNER TO {name}; VACUUM a; CREATE TABLE b (); SELECT 1/0;")
    failing(MigrationFailed, site.migrator().up)
    found = site.migrator().diagnose()
    site.ask(f"DROP OWNED BY {name}; DROP ROLE {name}")

    assert found is not None
    assert found.finding.done == 2


@pytest.mark.parametrize("is_open", [False, True])
def test_a_stored_text_that_others_could_have_written_is_not_run(
    site: Site, *, is_open: bool
) -> None:
    """Of a version without a file; what only we could write stands in for the file."""
    site.add_tables(1).up()
    site.add("2_b", "CREATE TABLE b (); VACUUM b; SELECT 1/0;")
    failing(MigrationFailed, site.migrator().up)
    (site.folder / "1_t1.up.sql").unlink()
    if is_open:
        site.ask("GRANT UPDATE ON schema_migrations_history TO public")
    site.migrator().diagnose()
    said = [event.message for event in site.heard(Warned)]

    assert any("(as stored) is not run on the scratch database. " in one for one in said) is is_open
