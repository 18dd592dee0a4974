"""`rung doctor` finds leftovers of failed work, prints their remedies, and changes nothing."""

from __future__ import annotations

import inspect
import json
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.engine.sites import wait_for

from rung.cli.main import main
from rung.drivers.postgres.catalog import SCRATCH
from rung.errors import MigrationFailed
from rung.scratch.named_server import ScratchDatabases

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

    from rung.diagnostics import Problem

_DUPLICATES = "CREATE TABLE t (x int); INSERT INTO t VALUES (1), (1)"


def _found(site: Site, kind: str) -> list[Problem]:
    return [one for one in site.migrator().doctor().problems if one.kind == kind]


def _mended(site: Site, kind: str) -> bool:
    """Whether the one ailment of a kind is gone once its own advice is followed."""
    (one,) = _found(site, kind)
    for statement in one.fix.splitlines():
        site.ask(statement)
    return not _found(site, kind)


def _failed_build(site: Site, name: str) -> None:
    site.ask(_DUPLICATES)
    with pytest.raises(psycopg.errors.UniqueViolation):
        site.ask(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON t (x)")
    site.ask("DELETE FROM t")


def test_a_healthy_database(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is found, and the code is 0."""
    site.add_tables(1).up()

    assert main(["doctor", "-d", site.database.conninfo]) == 0
    assert capsys.readouterr().err.endswith("; no problem found\n")


def test_an_invalid_index(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Its table, size and remedy are printed; the code is 8, and the remedy works."""
    _failed_build(site, '"I"')
    code = main(["doctor", "--json", "-d", site.database.conninfo])

    (one,) = json.loads(capsys.readouterr().out)["problems"]
    assert (code, one["kind"], one["name"]) == (8, "invalid index", 'public."I"')
    assert "public.t (" in one["description"]
    assert _mended(site, "invalid index")


@pytest.mark.parametrize(
    ("on", "twice"),
    [
        ("(x)", [(1, 2)]),
        ("(x, lower(y))", [(1, "a", 2)]),
        ("(x, y) WHERE z", []),
        ("((x + 1)) WHERE x IS NOT NULL", [(2, 2)]),
        ("(x) NULLS NOT DISTINCT", [(1, 2), (None, 2)]),
    ],
)
def test_the_duplicates_of_a_unique_index(site: Site, on: str, twice: list[object]) -> None:
    """The query finds what the index finds: a NULL makes no duplicate, unless the index says so."""
    if "NOT DISTINCT" in on and site.ask("SHOW server_version_num") < [("150000",)]:
        pytest.skip("since PostgreSQL 15")
    site.ask(
        "CREATE TABLE t (x int, y text, z boolean); INSERT INTO t VALUES (1, 'a', true),"
        " (1, 'A', true), (NULL, 'b', true), (NULL, 'b', true)"
    )
    with suppress(psycopg.errors.UniqueViolation):
        site.ask(f"CREATE UNIQUE INDEX CONCURRENTLY i ON t {on}")
    site.ask("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass")

    (one,) = _found(site, "invalid index")
    assert set(site.ask(one.description.partition("duplicates first: ")[2])) == set(twice)


def test_a_leftover_of_reindex(site: Site) -> None:
    """An invalid index with its ending is dropped, not built again."""
    _failed_build(site, "i_ccnew1")

    assert _mended(site, "reindex leftover")


def test_a_prepared_transaction_and_a_constraint(site: Site) -> None:
    """A constraint that is not validated is a remark; a transaction just prepared is none."""
    site.ask("CREATE TABLE t (x int); ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0) NOT VALID")
    site.ask("BEGIN; SELECT 1; PREPARE TRANSACTION 'doctor'")
    assert not _found(site, "prepared transaction")
    assert [one.harmless for one in _found(site, "unvalidated constraint")] == [True]
    site.ask("ROLLBACK PREPARED 'doctor'")

    assert _mended(site, "unvalidated constraint")


def test_a_detach_that_was_not_finished(site: Site) -> None:
    """The catalog shows that it was begun; FINALIZE completes it."""
    site.ask("CREATE TABLE p (x int) PARTITION BY LIST (x)")
    site.ask("CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
    site.ask(
        "SET allow_system_table_mods = on; "
        "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'p1'::regclass"
    )

    assert _mended(site, "pending detach")


def test_a_dirty_ledger(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """With where it stopped, and the command that goes on; of another tool's, repair."""
    site.add("1_a", "VACUUM;\nSELECT 1/0;").up_fails(MigrationFailed)
    assert main(["doctor", "-d", site.database.conninfo]) == 4
    assert "stopped after statement 1 of 2" in capsys.readouterr().out
    (ours,) = _found(site, "dirty ledger")
    site.ask("DELETE FROM schema_migrations_history")

    (theirs,) = _found(site, "dirty ledger")
    assert (ours.fix, theirs.fix) == ("rung up --resume", "rung repair")


def test_an_attempt_without_an_end(site: Site) -> None:
    """A row that says running, of a run that is long over, is a remark."""
    site.add_tables(1, 2).up()
    site.ask("UPDATE schema_migrations_history SET outcome = 'running' WHERE version = 1")

    assert [one.name for one in _found(site, "unfinished attempt")] == ["up 1"]


def test_a_database_that_was_left(site: Site) -> None:
    """One with the name that scratch databases have, and nobody in it."""
    name = f"{SCRATCH}left_by_a_test"
    site.ask(f"CREATE DATABASE {name}")

    (left,) = (one for one in _found(site, "scratch database") if one.name == name)
    site.ask(left.fix)
    assert name not in [one.name for one in _found(site, "scratch database")]
    assert f'"{SCRATCH}' in inspect.getsource(ScratchDatabases)


def test_a_role_that_was_left(site: Site) -> None:
    """It is named when no database belongs to it any more, so that it can be dropped."""
    name = f"{SCRATCH}of_a_test"
    site.ask(f"CREATE ROLE {name}")

    (left,) = (one for one in _found(site, "scratch role") if one.name == name)
    site.ask(left.fix)
    assert name not in [one.name for one in _found(site, "scratch role")]


def test_locks_of_others_are_told_by_idle_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds the key and asks nothing is named, with the command that ends it."""
    monkeypatch.setattr("rung.drivers.postgres.catalog._IDLE", "interval '0 s'")
    monkeypatch.setattr("rung.drivers.postgres.catalog._OLD", "interval '0 s'")
    site.add_tables(1).up()
    with site.migrator()._target.connected() as holder:
        assert holder.try_lock()
        pid = holder.locate().process
        assert [one.name for one in _found(site, "stale lock")] == [f"process {pid}"]
        assert _mended(site, "stale lock")
    site.ask("BEGIN; SELECT 1; PREPARE TRANSACTION 'it''s'")
    assert [one.name for one in _found(site, "prepared transaction")] == ["it's"]
    site.ask("ROLLBACK PREPARED 'it''s'")


def test_the_lock_holder_is_named_at_once(site: Site) -> None:
    """As a remark while it is at work or has just been; idle, with what ends it."""
    site.add_tables(1).up()
    with site.migrator()._target.connected() as holder:
        assert holder.try_lock()
        (one,) = _found(site, "lock holder")
        assert (one.name, one.harmless) == (f"process {holder.locate().process}", True)

    assert "pg_terminate_backend" in one.fix


def test_an_index_that_is_being_built(site: Site) -> None:
    """It is a remark with the process that builds it; nothing has to be done."""
    site.ask("CREATE TABLE t (x int)")
    with site.database.connect() as reader, closing(site.database.connect()) as builder:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT 1")
        builder_pid = builder.info.backend_pid
        builder.pgconn.send_query(b"CREATE INDEX CONCURRENTLY i ON t (x)")
        assert wait_for(lambda: _found(site, "invalid index"))
        (one,) = _found(site, "invalid index")
        builder.cancel_safe()

    assert one.harmless
    assert f"process {builder_pid}" in one.description
