"""`rung verify` on folders of one fault each: what is proved, refuted and not proved."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from rung.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.verify.conftest import Verify

    from rung.embedded import EmbeddedServer

_REFUTED = {
    "a column is left": ("ALTER TABLE app ADD a int", "SELECT 1", "+ column public.app.a"),
    "an index is missing": (
        "DROP INDEX app_name_idx",
        "SELECT 1",
        "- index public.app_name_idx on public.app",
    ),
    "a constraint is missing": (
        "ALTER TABLE app DROP CONSTRAINT app_id_check",
        "SELECT 1",
        "- constraint app_id_check on public.app",
    ),
    "a type is another": (
        "ALTER TABLE app ALTER name TYPE varchar(9)",
        "SELECT 1",
        '~ column public.app.name: "text" became "character varying(9)"',
    ),
    "the order of columns": (
        "ALTER TABLE app DROP CONSTRAINT app_id_check, DROP id",
        "ALTER TABLE app ADD id int PRIMARY KEY CHECK (id > 0)",
        "~ table public.app: the columns have another order",
    ),
    "an empty down": ("CREATE TABLE b (x int)", "", "+ table public.b with"),
    "a rename": ("ALTER TABLE app RENAME TO b", "SELECT 1", "possibly a rename"),
    "a comment": ("COMMENT ON TABLE app IS 'x'", "SELECT 1", "+ comment on table public.app"),
}


@pytest.mark.parametrize(("up", "down", "line"), _REFUTED.values(), ids=list(_REFUTED))
def test_a_down_that_does_not_restore(verify: Verify, up: str, down: str, line: str) -> None:
    """What the down leaves, misses or changes is named, and the exit code is 10."""
    ended = verify({"2_b.up.sql": up, "2_b.down.sql": down})

    assert (ended.code, ended.err.splitlines()[-1]) == (10, "1 proved, 1 refuted.")
    assert line in ended.out


_NOT_PROVED = {
    "no down file": ({"2_b.up.sql": "CREATE TABLE b (x int)"}, "it has no down file"),
    "a right": (
        {"2_b.up.sql": "CREATE EXTENSION file_fdw", "2_b.down.sql": "DROP EXTENSION file_fdw"},
        "needs a right that scratch does not give",
    ),
    "an extension": (
        {"2_b.up.sql": "CREATE EXTENSION nowhere", "2_b.down.sql": "DROP EXTENSION nowhere"},
        "needs an extension that scratch lacks",
    ),
    "another database": (
        {"2_b.up.sql": "ALTER DATABASE chat SET jit = off", "2_b.down.sql": "SELECT 1"},
        "names a database that the scratch server does not have",
    ),
    "a tablespace": (
        {"2_b.up.sql": "CREATE TABLE b (x int) TABLESPACE fast", "2_b.down.sql": "DROP TABLE b"},
        "needs a role or a tablespace that scratch lacks",
    ),
    "a connection that it ends": (
        {"2_b.up.sql": "SELECT pg_terminate_backend(pg_backend_pid())", "2_b.down.sql": ""},
        "the connection was lost during migration 2",
    ),
    "a statement that is cancelled": (
        {"2_b.up.sql": "SET statement_timeout = 1; SELECT pg_sleep(9)", "2_b.down.sql": ""},
        "it was ended on scratch",
    ),
    "time": (
        {
            "2_b.up.sql": "SET statement_timeout = 0; SELECT pg_sleep(60)",
            "2_b.down.sql": "SELECT 1",
        },
        "the up ran for longer than 1 s",
    ),
}


@pytest.mark.parametrize(("files", "why"), _NOT_PROVED.values(), ids=list(_NOT_PROVED))
def test_what_scratch_cannot_tell(verify: Verify, files: dict[str, str], why: str) -> None:
    """It is never called proved nor refuted: the reason is named, and the exit code is 11."""
    ended = verify(files, "--budget", "1s" if "time" in why or "longer" in why else "1m")

    assert (ended.code, ended.err.splitlines()[-1]) == (11, "1 proved, 1 not proved.")
    assert why in ended.out


_PROVED = {
    "outside a transaction": (
        "CREATE INDEX CONCURRENTLY i ON app (id)",
        "DROP INDEX CONCURRENTLY i",
    ),
    "its own transaction": ("BEGIN; CREATE TABLE b (x int); COMMIT", "BEGIN; DROP TABLE b; COMMIT"),
    "an extension of the owner": ("CREATE EXTENSION hstore", "DROP EXTENSION hstore"),
    "odd names": (
        'CREATE TABLE "b.c\n""d" ("e.f" int)',
        'DROP TABLE "b.c\n""d"',
    ),
    "COPY": (
        "CREATE TABLE b (x int);\nCOPY b FROM stdin;\n1\n2\n\\.\n",
        "DROP TABLE b;",
    ),
    "a byte order mark": ("\ufeffCREATE TABLE b (x int)", "DROP TABLE b"),
}


@pytest.mark.parametrize(("up", "down"), _PROVED.values(), ids=list(_PROVED))
def test_a_down_that_restores(verify: Verify, up: str, down: str) -> None:
    """Up, down and up again come to equal schemas, and the exit code is 0."""
    ended = verify({"2_b.up.sql": up, "2_b.down.sql": down})

    assert (ended.code, ended.err.splitlines()[-1]) == (0, "2 proved.")


def test_what_a_file_sets_does_not_reach_the_next(verify: Verify) -> None:
    """Neither the schema is read with its settings, nor does the next file run with its role."""
    files = {
        "2_b.up.sql": "SET DateStyle = 'German'; SET quote_all_identifiers = on; "
        "ALTER TABLE app ADD d date DEFAULT '2020-02-01'",
        "2_b.down.sql": "ALTER TABLE app DROP d",
        "3_c.up.sql": "CREATE TABLE c (x int)",
        "3_c.down.sql": "DROP TABLE c",
    }

    assert verify(files).err.splitlines()[-1] == "3 proved."


@pytest.mark.parametrize(
    ("up", "down"),
    [
        ("CREATE TABLE b (x int); UPDATE app SET name = 'x'", "DROP TABLE b"),
        ("UPDATE app SET name = 'x'", "SELECT 1"),
    ],
)
def test_what_is_not_compared_is_named(verify: Verify, up: str, down: str) -> None:
    """A schema that is restored says nothing of the rows."""
    files = {"2_b.up.sql": up, "2_b.down.sql": down}
    (found,) = json.loads(verify(files, "--json", "2").out)["migrations"]

    assert (found["outcome"], found["not_compared"]) == ("proved", ["rows"])
    assert "proved  up, down, up; not compared: rows" in verify(files).out


def test_a_wrong_down_is_not_blamed_on_the_next(verify: Verify) -> None:
    """The third migration begins at the schema that the ups alone make."""
    files = {
        "2_b.up.sql": "CREATE TABLE b (x int)",
        "2_b.down.sql": "SELECT 1",
        "3_c.up.sql": "ALTER TABLE b ADD y int",
        "3_c.down.sql": "ALTER TABLE b DROP y",
    }
    ended = verify(files)

    assert ended.err.splitlines()[-1] == "2 proved, 1 refuted."


def test_roles_do_not_outlive_a_database(verify: Verify) -> None:
    """A server of our own forgets the roles of files before they run a second time."""
    files = {
        "2_b.up.sql": "CREATE ROLE verify_joe; CREATE TABLE b (x int)",
        "2_b.down.sql": "DROP ROLE verify_joe",
        "3_c.up.sql": "GRANT SELECT ON b TO verify_joe",
        "3_c.down.sql": "REVOKE SELECT ON b FROM verify_joe",
    }
    ended = verify(files, embedded=True)

    assert ended.err.splitlines()[-1] == "2 proved, 1 refuted."


_SETTINGS = {
    "of the role": "ALTER ROLE CURRENT_USER SET default_transaction_read_only = on",
    "of the database": "DO $$ BEGIN EXECUTE "
    "'ALTER DATABASE ' || current_database() || ' SET check_function_bodies = off'; END $$",
}


@pytest.mark.parametrize("sql", _SETTINGS.values(), ids=list(_SETTINGS))
def test_a_setting_holds_for_later_files_alone(verify: Verify, sql: str) -> None:
    """A database that is made again has those of the files before, and of no file after it."""
    body = "SELECT x FROM nowhere" if "bodies" in sql else "SELECT 1"
    files = {
        "2_b.up.sql": f"CREATE TABLE b (x int); {sql}",
        "2_b.down.sql": "SELECT 1",
        "3_c.up.sql": f"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS '{body}'",
        "3_c.down.sql": "SELECT 1",
        "4_d.up.sql": "CREATE VIEW d AS SELECT * FROM public.b",
        "4_d.down.sql": "DROP VIEW d",
    }
    ended = verify(files, embedded=True)

    assert ended.err.splitlines()[-1] == "2 proved, 2 refuted."
    assert "+ function public.f()" in ended.out


_FIXED = {
    "a column and its constraint": (
        "ALTER TABLE app ADD a int; ALTER TABLE app ADD CONSTRAINT k CHECK (a > 1)",
        "SELECT 1;\n",
    ),
    "a view of a view": (
        "CREATE VIEW a AS SELECT id FROM app; CREATE VIEW b AS SELECT id FROM a",
        "SELECT 1;\n",
    ),
    "a constraint with an index": ("ALTER TABLE app DROP CONSTRAINT app_pkey", "SELECT 1;\n"),
    "a partition": (
        "CREATE TABLE a (x int) PARTITION BY LIST (x); CREATE TABLE b PARTITION OF a DEFAULT",
        "SELECT 1;\n",
    ),
    "a renamed column with an index": ("ALTER TABLE app RENAME name TO title", "SELECT 1;\n"),
    "a constraint of more columns": (
        "ALTER TABLE app ADD a int, DROP CONSTRAINT app_pkey, ADD CONSTRAINT app_pkey UNIQUE (a)",
        "SELECT 1;\n",
    ),
    "a renamed table": ("ALTER TABLE app RENAME TO b", "SELECT 1;\n"),
    "a name with a line end": ('CREATE TABLE "b\n c" (x int)', "SELECT 1;\n"),
    "a down without a last semicolon": ("CREATE TABLE b (x int)", "SELECT 1"),
    "a down that ends with a comment": ("CREATE TABLE b (x int)", "SELECT 1 -- one"),
    "an empty down": ("CREATE TABLE b (x int)", ""),
}


@pytest.mark.parametrize(("up", "down"), _FIXED.values(), ids=list(_FIXED))
def test_a_fix_is_proved_before_it_is_shown(verify: Verify, up: str, down: str) -> None:
    """Appended to the down file, the statements prove the migration."""
    files = {"2_b.up.sql": up, "2_b.down.sql": down}
    (found,) = json.loads(verify(files, "--json", "2").out)["migrations"]
    files["2_b.down.sql"] += found["schema"]["fix"]["sql"]

    assert found["outcome"] == "refuted"
    assert verify(files, "2").code == 0


def test_libpqs_variables_name_a_target(
    verify: Verify, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rights are those of its role, whoever named it."""
    for name, value in conninfo_to_dict(server.conninfo()).items():
        monkeypatch.setenv({"dbname": "PGDATABASE"}.get(name, f"PG{name.upper()}"), str(value))
    ended = verify({})

    assert (ended.code, "target is not known" in ended.err) == (0, False)


def test_roles_that_no_file_creates_exist_on_scratch(verify: Verify) -> None:
    """They may be granted rights and own tables, and are listed."""
    files = {
        "2_b.up.sql": "GRANT SELECT ON app TO verify_ann; ALTER TABLE app OWNER TO verify_bob",
        "2_b.down.sql": "ALTER TABLE app OWNER TO CURRENT_USER; REVOKE ALL ON app FROM verify_ann",
    }
    ended = verify(files, embedded=True)

    assert "2 proved." in ended.err
    assert "schema public: verify_ann, verify_bob" in ended.err


def test_extensions_that_no_file_creates_exist_on_scratch(verify: Verify) -> None:
    """Where the target is not known, somebody may have created them, and they are listed."""
    files = {
        "2_b.up.sql": "CREATE INDEX i ON app USING gin (name gin_trgm_ops)",
        "2_b.down.sql": "DROP INDEX i",
    }
    ended = verify(files, embedded=True)

    assert "2 proved." in ended.err
    assert "do not create exist on scratch: pg_trgm" in ended.err


@pytest.mark.parametrize("embedded", [True, False])
def test_files_that_are_trusted(verify: Verify, embedded: bool) -> None:  # noqa: FBT001
    """As a superuser a file may do what an owner may not; the report says whose rights it had."""
    files = {"2_b.up.sql": "CREATE EXTENSION file_fdw", "2_b.down.sql": "DROP EXTENSION file_fdw"}
    ended = verify(files, "--scratch-superuser", embedded=embedded)

    assert ended.code == 0
    assert ("rights of a superuser" if embedded else "the user of --scratch") in ended.out


def test_a_declared_irreversible_migration(verify: Verify) -> None:
    """Only its up runs, and its reason is shown."""
    files = {"2_b.up.sql": "DROP TABLE app", "2_b.down.sql": "-- rung: irreversible just a cache"}
    ended = verify(files)

    assert ended.code == 0
    assert "declared: just a cache" in ended.out


def test_only_what_changed_since(verify: Verify, tmp_path: Path) -> None:
    """Committed and uncommitted files count; the versions before are only applied."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    verify({})
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True)
    files = {"2_b.up.sql": "CREATE TABLE b (x int)", "2_b.down.sql": "DROP TABLE b"}

    assert verify({}, "--since", "HEAD").err.endswith("nothing to verify.\n")
    assert verify(files, "--since", "HEAD").out.count("proved") == 1
    assert verify(files, "--since", "nowhere").code == 2


_GIT = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org")


@pytest.fixture
def repository(verify: Verify, tmp_path: Path) -> Path:
    """Commit two migrations in a repository, and return their folder."""
    files = {"2_b.up.sql": "CREATE TABLE b (x int)", "2_b.down.sql": "DROP TABLE b"}
    assert verify(files).code == 0
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*_GIT, "-C", str(tmp_path), *words], check=True)
    return tmp_path / "migrations"


def test_a_removed_or_renamed_file_is_a_change(verify: Verify, repository: Path) -> None:
    """Its version is verified: without the down file it is not proved."""
    (repository / "2_b.down.sql").unlink()
    removed = verify({}, "--since", "HEAD")
    (repository / "2_b.up.sql").rename(repository / "2_c.up.sql")
    renamed = verify({}, "--since", "HEAD")

    assert removed.err.splitlines()[-1] == renamed.err.splitlines()[-1] == "1 not proved."
    assert "2  c" in renamed.out


@pytest.mark.parametrize("ref", ["--all", "-x", "nowhere", "HEAD:x", "\n", "a\x1b[31m"])
def test_a_commit_that_is_none(verify: Verify, repository: Path, ref: str) -> None:
    """It is an error with a hint, on lines without control characters."""
    del repository
    ended = verify({}, f"--since={ref}")

    assert ended.code == 2
    assert "error: git could not compare" in ended.err
    assert "\x1b" not in ended.err


def test_since_in_a_shallow_clone_and_outside_of_a_repository(
    verify: Verify, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither compares with nothing: both are errors."""
    git = [*_GIT, "-C", str(tmp_path)]
    subprocess.run([*git, "commit", "-qm", "y", "--allow-empty"], check=True)
    clone, url = tmp_path / "clone", f"file://{tmp_path}"
    subprocess.run([*git, "clone", "-q", "--depth=1", url, str(clone)], check=True)
    shallow = verify({}, "--since=HEAD~1", "--source", str(clone / "migrations"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / ".git").rename(tmp_path / "git")
    outside = verify({}, "--since=HEAD", "--source", str(repository))

    assert (shallow.code, outside.code) == (2, 2)
    assert "git fetch --unshallow" in shallow.err


def test_nothing_is_left_on_a_named_server(verify: Verify, server: EmbeddedServer) -> None:
    """The databases and the role of a check are dropped, whatever came of it."""
    template = "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' IS_TEMPLATE true'"
    verify({"2_b.up.sql": f"{template}; END $$", "2_b.down.sql": "SELECT 1/0"})

    assert _left(server) == []


def test_sqlite(verify: Verify, tmp_path: Path) -> None:
    """A file database is verified on files of its own, and is never opened for writing."""
    target = tmp_path / "chat.db"
    code = main(["verify", "--database", f"sqlite:///{target}", "--quiet"])
    del verify

    assert code == 1  # the folder is empty
    (tmp_path / "migrations" / "1_a.up.sql").write_text("CREATE TABLE a (x int);")
    (tmp_path / "migrations" / "1_a.down.sql").write_text("DROP TABLE a;")
    assert main(["verify", "--database", f"sqlite:///{target}", "--quiet"]) == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing(
    verify: Verify, server: EmbeddedServer, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """The file that runs is cancelled, and its database and role are dropped."""
    files = {"2_b.up.sql": f"SELECT pg_sleep(60), '{tmp_path}'", "2_b.down.sql": "SELECT 1"}
    assert verify(files, "1").code == 0
    words = [sys.executable, "-m", "rung", "verify", "--scratch", server.url()]
    running = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.DEVNULL)
    _wait_for(server, f"pg_sleep.*{tmp_path}")
    running.send_signal(number)

    assert running.wait(30) == code
    assert _left(server) == []


def test_a_user_who_may_not_create_databases(verify: Verify, server: EmbeddedServer) -> None:
    """It is an error with a hint, and no outcome; nothing is dirty."""
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE ROLE verify_nobody LOGIN")
        ended = verify({}, "--scratch", server.url().replace("postgres@", "verify_nobody@"))
        connection.execute("DROP ROLE verify_nobody")

    assert ended.code == 1
    assert "error: no scratch database could be created: permission denied" in ended.err
    assert "dirty" not in ended.err


@pytest.mark.parametrize("may", ["CREATEDB CREATEROLE", "CREATEDB"])
def test_whose_rights_the_files_have(verify: Verify, server: EmbeddedServer, may: str) -> None:
    """On a named server a role of their own runs them, if its user may create one."""
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE verify_user LOGIN {may}")
        ended = verify({}, "--scratch", server.url().replace("postgres@", "verify_user@"))
        connection.execute("DROP ROLE verify_user")

    own = "CREATEROLE" in may
    whose = "an owner who may not create roles" if own else "verify_user, the user of --scratch"
    assert (ended.code, f", rights of {whose}, " in ended.out) == (0, True)
    assert ("they can change other databases" in ended.err) is not own


def test_a_session_that_is_lost(verify: Verify, server: EmbeddedServer) -> None:
    """Earlier outcomes are reported, the rest is not proved, and 11 does not hide 10."""
    files = {
        "2_b.up.sql": "CREATE TABLE b (x int)",
        "2_b.down.sql": "SELECT 1",
        "3_c.up.sql": "SELECT pg_terminate_backend(pg_backend_pid())",
        "3_c.down.sql": "SELECT 1",
    }
    ended = verify(files)

    assert (ended.code, ended.err.splitlines()[-1]) == (10, "1 proved, 1 refuted, 1 not proved.")
    assert _left(server) == []


def _left(server: EmbeddedServer) -> list[tuple[str]]:
    sql = (
        "SELECT datname FROM pg_database WHERE datname ~ 'rung_scratch' "
        "UNION ALL SELECT rolname FROM pg_roles WHERE rolname ~ 'rung_scratch'"
    )
    with psycopg.connect(server.conninfo()) as connection:
        return connection.execute(sql).fetchall()


def _wait_for(server: EmbeddedServer, query: str) -> None:
    """Wait until another session runs a query that matches a regular expression."""
    deadline = time.monotonic() + 30
    sql = "SELECT FROM pg_stat_activity WHERE query ~ %s AND pid <> pg_backend_pid()"
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        while time.monotonic() < deadline:
            if connection.execute(sql, [query]).fetchone() is not None:
                return
            time.sleep(0.05)
    raise AssertionError(f"nobody ran {query} within 30 s")


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("ATTACH '{other}' AS x; CREATE TABLE x.t (y int)", "needs a right"),
        ("ATTACH '{other}' || '' AS x; CREATE TABLE x.t (y int)", "needs a right"),
        ("VACUUM INTO '{other}'", "needs a right"),
        ("SELECT load_extension('{other}')", "needs a right"),
        (
            "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT max(x) FROM r",
            "ran for longer than 1 s",
        ),
    ],
)
def test_a_sqlite_file_opens_no_other_and_ends(
    verify: Verify, tmp_path: Path, sql: str, why: str
) -> None:
    """It can neither write beside its scratch file, nor run for ever."""
    folder, other = tmp_path / "migrations", tmp_path / "other.db"
    (folder / "1_a.up.sql").write_text(sql.format(other=other))
    (folder / "1_a.down.sql").write_text("SELECT 1")
    words = ("--database", f"sqlite:///{tmp_path}/t.db", "--budget", "1s")
    ended = verify({}, *words, embedded=True, first=False)

    assert (ended.code, why in ended.out) == (11, True)
    assert not other.exists()


def test_vacuum_on_sqlite(verify: Verify, tmp_path: Path) -> None:
    """It opens a file without a name, which is no other database."""
    folder = tmp_path / "migrations"
    (folder / "1_a.up.sql").write_text("VACUUM")
    (folder / "1_a.down.sql").write_text("SELECT 1")
    words = ("--database", f"sqlite:///{tmp_path}/t.db")

    assert verify({}, *words, embedded=True, first=False).code == 0
