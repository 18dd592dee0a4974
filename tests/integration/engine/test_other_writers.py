"""Who else may write ledger, history and lease: closed when they are made, and noticed later."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.oracle import golang_migrate, or_skip

from rung.cancellation import CancelToken
from rung.database import Database
from rung.drivers import open_driver
from rung.drivers.postgres.privileges import rights_state
from rung.events import Warned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.engine.sites import Site

    from rung.drivers.inspection import OtherWriters

_HISTORY = "schema_migrations_history"
_RIGHTS = """
SELECT c.relname::text, pg_get_userbyid(a.grantee)::text, a.privilege_type
  FROM pg_class c, aclexplode(c.relacl) a
 WHERE c.relname LIKE 'schema_migrations%' AND a.grantee <> c.relowner
"""


@dataclass(frozen=True, slots=True)
class Other:
    """A role that is not ours."""

    name: str
    site: Site

    @property
    def quoted(self) -> str:
        return f'"{self.name}"'

    @property
    def rights(self) -> set[tuple[str, str]]:
        """What it may do with our tables and sequences."""
        return {(table, right) for table, who, right in self.site.ask(_RIGHTS) if who == self.name}

    def gets_by_default(self, *, grant_option: bool = False) -> None:
        """Have it get every right on what is made from now on, as frameworks advise."""
        behind = " WITH GRANT OPTION" if grant_option else ""
        for kind in ("TABLES", "SEQUENCES"):
            self.site.ask(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON {kind} TO {self.quoted}{behind}")


@pytest.fixture
def other(site: Site) -> Iterator[Other]:
    """Make a role that may log in, and nothing else."""
    name = f"App {site.database.name}"
    site.ask(f'CREATE ROLE "{name}" LOGIN')
    yield Other(name, site)
    site.ask(f'DROP OWNED BY "{name}" CASCADE; DROP ROLE "{name}"')


def writers(site: Site, **said: tuple[str, ...]) -> OtherWriters:
    """What a look says of other writers."""
    with open_driver(Database(site.database.url, **said)).read() as reader:  # type: ignore[arg-type]
        return reader.inspect().other_writers


# --- what others get when our tables are made --------------------------------------------


@pytest.mark.parametrize("grant_option", [False, True])
def test_default_privileges_give_others_no_more_than_select(
    site: Site, other: Other, *, grant_option: bool
) -> None:
    """Of ledger, history and the history's sequence; the tables of the files keep theirs."""
    other.gets_by_default(grant_option=grant_option)
    site.ask("ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT ON TABLES TO public")
    site.add_tables(1).up()

    assert {right for _, right in other.rights} == {"SELECT"}
    assert site.ask("SELECT has_table_privilege('pg_monitor', 'schema_migrations', 'INSERT')") == [
        (False,)
    ]
    assert writers(site).closed_after == 0
    assert site.ask(f"SELECT has_table_privilege('{other.name}', 't1', 'TRUNCATE')") == [(True,)]


def test_what_an_event_trigger_grants_is_taken_back_too(site: Site, other: Other) -> None:
    """What others got shows behind the CREATE only, a column's grant included."""
    site.ask(
        "CREATE FUNCTION share() RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE t text; BEGIN"
        " FOR t IN SELECT object_identity FROM pg_event_trigger_ddl_commands()"
        " WHERE object_type = 'table' LOOP EXECUTE"
        f" format('GRANT ALL ON %s TO {other.quoted}', t);"
        " IF t LIKE '%history' THEN"
        f" EXECUTE format('GRANT UPDATE (down_sql) ON %s TO {other.quoted}', t); END IF;"
        " END LOOP; END $$;"
        "CREATE EVENT TRIGGER share ON ddl_command_end WHEN tag IN ('CREATE TABLE')"
        " EXECUTE FUNCTION share()"
    )
    site.add_tables(1).up()

    assert {right for _, right in other.rights} == {"SELECT"}
    assert (writers(site).history, writers(site).closed_after) == ((), 0)


@pytest.mark.parametrize("dropped", ["schema_migrations", f"schema_migrations, {_HISTORY}"])
@pytest.mark.parametrize("frame", ["{}", "BEGIN; {} COMMIT;"])
def test_tables_made_again_are_closed_as_well(
    site: Site, other: Other, dropped: str, frame: str
) -> None:
    """Behind a last down that drops them, in our transaction and in the file's own."""
    site.add("1_a", "CREATE TABLE a ();", frame.format(f"DROP TABLE a; DROP TABLE {dropped};"))
    site.up()
    other.gets_by_default()
    site.migrator().down()

    assert {right for _, right in other.rights} <= {"SELECT"}
    assert site.ledger() == []
    site.ask(f"DROP TABLE schema_migrations, {_HISTORY}")
    site.up()
    assert {right for _, right in other.rights} == {"SELECT"}
    assert writers(site).closed_after == 0


@pytest.mark.parametrize("missing", [_HISTORY, "schema_migrations"])
def test_a_table_that_is_there_keeps_its_rights(site: Site, other: Other, missing: str) -> None:
    """Only what is made is closed: at baseline another tool's role goes on working."""
    there = {"schema_migrations", _HISTORY} - {missing}
    site.add_tables(1).up()
    site.ask(f"GRANT ALL ON {there.pop()} TO {other.quoted}; DROP TABLE {missing}")
    site.ask(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {other.quoted}")
    held = {(table, right) for table, right in other.rights if table != missing}
    site.migrator().force(1)

    assert {(table, right) for table, right in other.rights if table != missing} == held
    assert {right for table, right in other.rights if table == missing} == {"SELECT"}


def test_the_ledgers_writers_get_what_golang_migrate_needs(site: Site, other: Other) -> None:
    """On the ledger alone, and nothing is said of it."""
    place = Database(site.database.url, ledger_writers=(other.name,))
    site.ask(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {other.quoted}")
    site.add_tables(1).migrator(place).up()

    ledger = {right for table, right in other.rights if table == "schema_migrations"}
    assert ledger == {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"}
    assert {right for table, right in other.rights if table == _HISTORY} == {"SELECT"}
    assert writers(site, ledger_writers=(other.name,)).ledger == ()
    assert len(writers(site).ledger) == 1
    site.add_tables(2).migrator(place).up()
    assert site.heard(Warned) == []


@pytest.mark.oracle
def test_golang_migrate_works_as_a_ledgers_writer(site: Site, other: Other) -> None:
    """With those rights and no others it goes up and down on our ledger."""
    place = Database(site.database.url, ledger_writers=(other.name,))
    site.add_tables(1).migrator(place).up()
    site.ask(f"GRANT CREATE ON SCHEMA public TO {other.quoted}")
    site.add_tables(2)
    url = site.database.url.replace("postgres@", f"{other.name.replace(' ', '%20')}@", 1)
    binary = str(or_skip(golang_migrate()))
    command = [binary, "-path", str(site.folder), "-database", url]
    for words in (["up"], ["down", "1"], ["force", "1"], ["up"]):
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, done.stderr)

    assert site.ledger() == [(2, False)]


# --- who may write tables that are there -------------------------------------------------

_OPENED = {
    "GRANT INSERT ON {history} TO {role}": "INSERT",
    "GRANT UPDATE, DELETE ON {history} TO {role}": "DELETE, UPDATE",
    "GRANT TRUNCATE, TRIGGER ON {history} TO public": "TRIGGER, TRUNCATE",
    "GRANT UPDATE (down_sql) ON {history} TO {role}": "UPDATE (down_sql)",
    "CREATE VIEW seen AS SELECT * FROM {history};"
    "GRANT UPDATE ON seen TO {role}": "UPDATE through seen",
    "CREATE VIEW seen AS SELECT * FROM {history}; CREATE VIEW upon AS SELECT * FROM seen;"
    "GRANT UPDATE (down_sql) ON upon TO {role}": "UPDATE through upon",
    "GRANT pg_write_all_data TO {role}": "is a member of pg_write_all_data",
    "ALTER TABLE {history} OWNER TO {role}": "owns it",
    "CREATE RULE r AS ON UPDATE TO {history} DO INSTEAD NOTHING": 'rule "r"',
    "CREATE TABLE child () INHERITS ({history})": "child table child",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
    "ALTER FUNCTION f() OWNER TO {role}; CREATE TRIGGER t BEFORE INSERT ON {history}"
    " FOR EACH ROW EXECUTE FUNCTION f()": 'trigger "t" runs a function of role',
}


@pytest.mark.parametrize(("change", "how"), _OPENED.items(), ids=_OPENED.values())
def test_who_may_write_the_history(site: Site, other: Other, change: str, how: str) -> None:
    """Each way is named, and with it nothing counts as closed."""
    site.add_tables(1).up()
    site.ask(change.format(history=_HISTORY, role=other.quoted))
    found = writers(site)

    assert len(found.history) == 1
    assert how in found.history[0]
    assert (found.ledger == (), found.closed_after) == ("pg_write" not in how, None)


@pytest.mark.parametrize(
    "change",
    [
        "GRANT SELECT, REFERENCES ON {history} TO {role}",
        "GRANT postgres TO {role}; GRANT ALL ON {history} TO {role}",
        "ALTER ROLE {role} SUPERUSER; GRANT ALL ON {history} TO {role}",
        "ALTER ROLE {role} SUPERUSER; ALTER TABLE {history} OWNER TO {role}",
        "ALTER ROLE {role} SUPERUSER; GRANT pg_write_all_data TO {role}",
        "GRANT UPDATE ON t1 TO {role}",
    ],
)
def test_who_does_not_count(site: Site, other: Other, change: str) -> None:
    """Readers, superusers, and members of the owner, who may do anything anyway."""
    site.add_tables(1).up()
    site.ask(change.format(history=_HISTORY, role=other.quoted))

    assert (writers(site).ledger, writers(site).history) == ((), ())


def test_the_owner_is_ours_where_we_belong_to_him(site: Site, other: Other) -> None:
    """A migrating role that is a member of the owner finds nobody else."""
    site.ask(f"GRANT ALL ON SCHEMA public TO {other.quoted}; CREATE ROLE {_deploy(site)} LOGIN")
    site.ask(f"GRANT {other.quoted} TO {_deploy(site)}")
    site.add("1_a", "SELECT 1;").migrator(Database(site.database.url, role=other.name)).up()
    url = site.database.url.replace("postgres@", f"{_deploy(site)}@", 1)
    with open_driver(Database(url)).read() as reader:
        found = reader.inspect().other_writers
    site.ask(f"DROP ROLE {_deploy(site)}")

    assert (found.ledger, found.history, found.closed_after) == ((), (), 0)
    assert writers(site).history == (f'role "{other.name}" owns it',)


def _deploy(site: Site) -> str:
    return f"deploy_{site.database.name}"


# --- since when it is closed -------------------------------------------------------------


def test_rows_from_when_it_was_open_are_not_trusted(site: Site, other: Other) -> None:
    """The next run with work records them as such, and later rows are trusted."""
    site.add_tables(1).up()
    site.ask(f"GRANT UPDATE ON {_HISTORY} TO {other.quoted}")
    site.add_tables(2).up()
    assert writers(site).closed_after is None
    site.ask(f"REVOKE UPDATE ON {_HISTORY} FROM {other.quoted}")
    assert writers(site).closed_after is None
    site.add_tables(3).up()

    assert (writers(site).history, writers(site).closed_after) == ((), 2)


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ("GRANT UPDATE ON {history} TO {role}", "REVOKE UPDATE ON {history} FROM {role}"),
        (
            "GRANT UPDATE (error) ON {history} TO {role}",
            "REVOKE UPDATE (error) ON {history} FROM {role}",
        ),
        (
            "CREATE VIEW seen AS SELECT * FROM {history}; GRANT UPDATE ON seen TO {role}",
            "REVOKE UPDATE ON seen FROM {role}",
        ),
        ("ALTER TABLE {history} OWNER TO {role}", "ALTER TABLE {history} OWNER TO postgres"),
    ],
)
def test_a_gap_between_two_runs_is_noticed(
    site: Site, other: Other, opened: str, closed: str
) -> None:
    """Granted, forged and revoked: the rights look as before, and still nothing is trusted."""
    names = {"history": _HISTORY, "role": other.quoted}
    site.add_tables(1).up()
    site.ask(opened.format(**names))
    site.ask(closed.format(**names))
    assert (writers(site).history, writers(site).closed_after) == ((), None)
    site.add_tables(2).up()

    assert writers(site).closed_after == 1


def test_a_note_that_an_owner_before_wrote_is_not_believed(site: Site, other: Other) -> None:
    """A former owner can predict the state after the change of owner, but not comment after it."""
    site.add_tables(1).up()
    site.ask(f"ALTER TABLE {_HISTORY} OWNER TO {other.quoted}")
    table = f"FROM pg_class history WHERE history.oid = '{_HISTORY}'::regclass"
    state = rights_state()
    foretold = state.replace("history.xmin", "(pg_current_xact_id()::text::bigint + 1)::text")
    site.ask(
        f"DO $do$ BEGIN EXECUTE format('COMMENT ON TABLE {_HISTORY} IS %L',"
        " 'rung: closed to others after row 0, state '"
        f" || (SELECT {foretold} {table})); END $do$"
    )
    site.ask(f"ALTER TABLE {_HISTORY} OWNER TO postgres")

    [(note,)] = site.ask(f"SELECT obj_description('{_HISTORY}'::regclass)")
    assert note.endswith(site.ask(f"SELECT {state} {table}")[0][0])
    assert (writers(site).history, writers(site).closed_after) == ((), None)
    site.add_tables(2).up()
    assert writers(site).closed_after == 1


def test_what_does_not_open_it_keeps_the_note(site: Site) -> None:
    """Neither statistics nor a VACUUM nor somebody's words in the comment."""
    site.add_tables(1).up()
    site.ask(f"ANALYZE {_HISTORY}")
    with psycopg.connect(site.database.conninfo, autocommit=True) as connection:
        connection.execute(f"VACUUM FREEZE {_HISTORY}, pg_class, pg_attribute")
    (note,) = site.ask(f"SELECT obj_description('{_HISTORY}'::regclass)")[0]
    site.ask(f"COMMENT ON TABLE {_HISTORY} IS E'ours\\n{note}'")

    assert writers(site).closed_after == 0


def test_a_history_of_an_older_build_is_not_known_to_be_closed(site: Site) -> None:
    """It has no note; the next run with work makes one for what comes behind."""
    site.add_tables(1).up()
    site.ask(f"COMMENT ON TABLE {_HISTORY} IS 'kept by the platform team'")
    assert writers(site).closed_after is None
    site.add_tables(2).up()

    assert writers(site).closed_after == 1
    (comment,) = site.ask(f"SELECT obj_description('{_HISTORY}'::regclass)")[0]
    assert comment.startswith("kept by the platform team\nrung: closed to others after row 1, ")


def test_a_row_that_is_written_meanwhile_keeps_the_note_back(site: Site) -> None:
    """What a writer has not committed yet would pass as written behind the note."""
    site.add_tables(1).up()
    site.ask(f"COMMENT ON TABLE {_HISTORY} IS NULL")
    with psycopg.connect(site.database.conninfo) as writing:
        writing.execute(f"UPDATE {_HISTORY} SET error = NULL WHERE id = 1")
        with open_driver(Database(site.database.url)).connect(CancelToken()) as session:
            session.try_lock()
            session.prepare_tables()
            assert session.inspect().other_writers.closed_after is None
    site.add_tables(2).up()
    assert writers(site).closed_after == 1


# --- what is said ------------------------------------------------------------------------


def test_a_run_with_work_warns_once_and_an_idle_one_says_nothing(site: Site, other: Other) -> None:
    """The warning names role and rights; what the doctor prints ends it."""
    site.add_tables(1).up()
    site.ask(f"GRANT INSERT, UPDATE (error) ON {_HISTORY} TO {other.quoted}")
    site.up()
    assert site.heard(Warned) == []
    site.add_tables(2).up()
    (warning,) = site.heard(Warned)
    assert f'the history (role "{other.name}" has INSERT, UPDATE (error))' in warning.message
    (found,) = (one for one in site.migrator().doctor().problems if one.kind == "open to others")
    site.ask(found.fix)

    assert writers(site).history == ()
    assert site.migrator().doctor().problems == ()


@pytest.mark.parametrize("table", ["schema_migrations", _HISTORY])
def test_the_doctor_closes_views_as_well(site: Site, other: Other, table: str) -> None:
    """A view on a view, a right on a column, everybody's right; who only reads keeps that."""
    site.add_tables(1).up()
    site.ask(
        f'CREATE VIEW seen AS SELECT * FROM {table}; CREATE VIEW "On it" AS SELECT * FROM seen;'
        f'GRANT ALL ON "On it" TO {other.quoted}; GRANT UPDATE (version) ON seen TO PUBLIC'
    )
    (found,) = (one for one in site.migrator().doctor().problems if one.kind == "open to others")
    site.ask(found.fix)

    assert site.migrator().doctor().problems == ()
    assert site.ask(f"SELECT has_table_privilege('{other.name}', '\"On it\"', 'SELECT')") == [
        (True,)
    ]
