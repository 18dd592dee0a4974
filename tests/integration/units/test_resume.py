"""A file that stopped in the middle goes on where it stopped, and where that is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import CannotResume, DirtyLedger, MigrationFailed
from rung.events import StepResumed
from rung.planning.plan import Down, Up
from rung.render.errors import full_text

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_STOPS = "CREATE TABLE a (x int);\nVACUUM;\nINSERT INTO a VALUES (1);\nSELECT 1/0;\nSELECT 2;"
_MENDED = _STOPS.replace("SELECT 1/0", "CREATE TABLE b ()")


def _resume(site: Site) -> list[int]:
    return [step.version for step in site.migrator().up(resume=True).steps]


def _cut_off(site: Site, done: int, in_flight: int | None = None, version: int = 1) -> None:
    """Make it so that the last attempt died instead of failing."""
    site.ask(
        "UPDATE schema_migrations_history SET outcome = 'running', error = NULL, finished = NULL, "
        f"statements_done = {done}, in_flight = {in_flight or 'NULL'} WHERE version = {version} "
        "AND id = (SELECT max(id) FROM schema_migrations_history)"
    )


def test_goes_on_behind_what_is_committed_and_then_as_usual(site: Site) -> None:
    """What is committed is not run again; the rest of the file runs, then what is pending."""
    site.add("1_a", _STOPS).add_tables(2).up_fails(MigrationFailed)
    site.add("1_a", _MENDED)

    steps = site.migrator().up(resume=True).steps
    assert [(step.version, step.statements) for step in steps] == [(1, 3), (2, 1)]
    assert site.ask("SELECT count(*) FROM a") == [(1,)]
    assert (site.tables(), site.ledger()) == ({"a", "b", "t2"}, [(2, False)])
    assert site.progress()[:2] == [("failed", 2, 5, None), ("done", 5, 5, None)]
    assert site.heard(StepResumed) == [StepResumed(1, "up", 2, 5)]


def test_the_advice_of_failure_and_dirt_names_it(site: Site) -> None:
    """Who meets the failure, or the dirty ledger later, is told the command that goes on."""
    error = site.add("1_a", _STOPS).up_fails(MigrationFailed)

    assert "rung up --resume" in error.hint
    assert "rung up --resume" in site.up_fails(DirtyLedger).hint


def test_an_attempt_that_was_cut_off_is_ended(site: Site) -> None:
    """The row of a run that died says so from then on; the new attempt has its own."""
    site.add("1_a", _STOPS).up_fails(MigrationFailed)
    _cut_off(site.add("1_a", _MENDED), 3)
    _resume(site)

    assert site.history() == [(1, "up", "failed"), (1, "up", "done")]
    assert site.ask(
        "SELECT error LIKE 'cut off%', finished IS NOT NULL "
        "FROM schema_migrations_history WHERE id = 1"
    ) == [(True, True)]


def test_a_down_goes_on_too(site: Site) -> None:
    """A down is gone on with by down --resume, one step; up --resume says so."""
    site.add("1_a", "CREATE TABLE a ();", "VACUUM;\nSELECT 1/0;\nDROP TABLE a;").up()
    failing(MigrationFailed, site.migrator().down)
    site.add("1_a", down="VACUUM;\nSELECT 1;\nDROP TABLE a;")
    wrong = failing(CannotResume, lambda: site.migrator().up(resume=True))
    site.migrator().down(resume=True)

    assert wrong.command == "rung down --resume"
    assert (site.tables(), site.ledger()) == (set(), [])
    assert site.history()[-1] == (1, "down", "done")


_DROPS = "CREATE TABLE a ();\nDROP INDEX CONCURRENTLY old_i{};\nCREATE TABLE b ();"
_OLD = "CREATE TABLE t (x int); CREATE INDEX old_i ON t (x);"
_OLD_THERE = "SELECT to_regclass('old_i') IS NOT NULL"


def test_a_statement_that_the_server_rejected_is_not_done(site: Site) -> None:
    """That no index of the mistyped name is there does not mean that it was dropped."""
    site.add("1_t", _OLD).add("2_a", _DROPS.format("x")).up_fails(MigrationFailed)
    failing(MigrationFailed, lambda: site.migrator().up(resume=True))
    assert site.ask(_OLD_THERE) == [(True,)]
    site.add("2_a", _DROPS.format(""))

    assert _resume(site) == [2]
    assert (site.ask(_OLD_THERE), site.progress()[-1]) == ([(False,)], ("done", 3, 3, None))


def test_a_rejected_statement_of_a_down_is_not_done(site: Site) -> None:
    """The error of what cannot be resumed names the down, not where the ledger is."""
    site.add("1_t", _OLD, _DROPS.format("x")).up()
    failing(MigrationFailed, site.migrator().down)
    site.add("1_t", down="SELECT 1;\n" + _DROPS.format(""))
    error = failing(CannotResume, lambda: site.migrator().down(resume=True))
    site.add("1_t", down=_DROPS.format(""))
    site.migrator().down(resume=True)

    assert "cannot resume the down of version 1" in str(error)
    assert "changed in statement 1, which is committed" in str(error)
    assert (site.ask(_OLD_THERE), site.ledger()) == ([(False,)], [])


def test_a_clean_database_has_nothing_to_resume(site: Site) -> None:
    """Up goes on as usual then, and down does nothing."""
    site.add_tables(1, 2)

    assert _resume(site) == [1, 2]
    assert site.migrator().down(resume=True).nothing_to_do


def test_a_file_that_the_server_refused_as_a_whole_goes_on(site: Site) -> None:
    """One that ran statement by statement for its CALL is resumed in the middle, too."""
    commits = "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;"
    text = f"{commits}\nCALL p();\nCREATE TABLE a ();\nSELECT 1/0;"
    site.add("1_a", text).up_fails(MigrationFailed)
    site.add("1_a", text.replace("1/0", "1"))

    assert _resume(site) == [1]
    assert site.progress()[-1] == ("done", 4, 4, None)


def test_settings_of_what_is_done_are_made_again(site: Site) -> None:
    """The session that goes on has the search path that the file had set before it stopped."""
    text = "CREATE SCHEMA s;\nSET search_path = s;\nVACUUM;\nSELECT 1/0;\nCREATE TABLE made ();"
    site.add("1_a", text).up_fails(MigrationFailed)
    site.add("1_a", text.replace("1/0", "1"))
    _resume(site)

    assert site.ask("SELECT to_regclass('s.made') IS NOT NULL") == [(True,)]


def _with_another_formula(site: Site, more: str = "") -> None:
    site.add("1_a", _STOPS).up_fails(MigrationFailed)
    site.ask(f"UPDATE schema_migrations_history SET checksum_formula = 77{more}")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "changed in statements 1-2, which are committed"),
        (", up_sql = NULL", "cannot be compared: recorded with a checksum formula that this"),
    ],
)
def test_a_formula_that_is_not_recognized_proves_nothing(site: Site, more: str, said: str) -> None:
    """The kept text is compared itself; without one the file is not gone on with."""
    _with_another_formula(site, more)
    site.add("1_a", _MENDED.replace("x int", "x text"))
    error = failing(CannotResume, lambda: site.migrator().up(resume=True))

    assert said in error.reason
    assert site.ledger() == [(1, True)]


def test_a_kept_text_is_compared_where_its_formula_is_not_recognized(site: Site) -> None:
    """A change after what is committed is welcome then too."""
    _with_another_formula(site)
    site.add("1_a", _MENDED)

    assert _resume(site) == [1]


_FUNCTION = (
    "CREATE SCHEMA app; CREATE FUNCTION sets() RETURNS void LANGUAGE plpgsql AS "
    "$$ BEGIN PERFORM set_config('search_path', 'app', false); END $$; "
    "CREATE FUNCTION asks() RETURNS void LANGUAGE sql AS 'SELECT sets()';"
)


@pytest.mark.parametrize(
    "setting",
    [
        "SELECT sets()",
        "SELECT asks()",
        "DO $$ BEGIN PERFORM set_config('search_path', 'app', false); END $$",
        "DO $$ BEGIN PERFORM sets(); END $$",
        "DO $$ BEGIN EXECUTE 'SET search_path = app'; END $$",
    ],
)
def test_what_code_has_set_is_not_guessed(site: Site, setting: str) -> None:
    """A new session would have another search path: the file is not gone on with there."""
    text = f"{setting};\nCREATE TABLE a ();\nVACUUM;\nSELECT 1/0;\nCREATE TABLE made ();"
    site.add("1_f", _FUNCTION).add("2_a", text).up_fails(MigrationFailed)
    site.add("2_a", text.replace("1/0", "1"))
    error = failing(CannotResume, lambda: site.migrator().up(resume=True))

    assert "statement 1 on line 1 runs code that may have changed its session" in error.reason
    assert "rung repair" in error.hint
    assert site.ask("SELECT to_regclass('public.made')") == [(None,)]


def test_code_that_sets_nothing_is_no_hindrance(site: Site) -> None:
    """Its text is read, that of what it calls too."""
    calls = "DO $$ BEGIN PERFORM g(); END $$; SELECT f(); "
    text = f"CREATE TABLE a (); {calls} VACUUM; SELECT 1/0;"
    site.add(
        "1_f",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT f()';",
    )
    site.add("2_a", text).up_fails(MigrationFailed)
    site.add("2_a", text.replace("1/0", "1"))

    assert _resume(site) == [2]


def test_a_setting_that_a_savepoint_took_back_is_not_made_again(site: Site) -> None:
    """The rest goes where it goes in a run that nothing stops."""
    text = (
        "CREATE SCHEMA app; BEGIN; SAVEPOINT s; SET search_path = app; ROLLBACK TO s; COMMIT;"
        "VACUUM; SELECT 1/0; CREATE TABLE made ();"
    )
    site.add("1_a", text).up_fails(MigrationFailed)
    site.add("1_a", text.replace("1/0", "1"))
    _resume(site)

    assert site.ask("SELECT to_regclass('public.made') IS NOT NULL") == [(True,)]


def _nothing_known(site: Site) -> None:
    site.ask("DELETE FROM schema_migrations_history")


def _changed(site: Site) -> None:
    site.add("1_a", _STOPS.replace("x int", "x text"))


def _moved(site: Site) -> None:
    site.add("1_a", _STOPS.replace("INSERT", "BEGIN; INSERT").replace("1/0;", "1; COMMIT;"))


def _called(site: Site) -> None:
    site.add("1_a", _STOPS.replace("VACUUM", "CALL p()"))
    site.ask("UPDATE schema_migrations_history SET up_checksum = NULL, up_sql = NULL")


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (_nothing_known, "another tool"),
        (_changed, "changed in statements 1-2, which are committed"),
        (_called, "does not have the text that ran"),
        (lambda site: (site.folder / "1_a.up.sql").unlink(), "is missing"),
    ],
    ids=["no history", "changed", "not kept", "no file"],
)
def test_what_cannot_be_gone_on_with_is_refused(site: Site, prepare, said: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """It says why, points to repair, and leaves all as it was."""
    site.add("1_a", _STOPS).add_tables(2).up_fails(MigrationFailed)
    prepare(site)
    error = failing(CannotResume, lambda: site.migrator().up(resume=True))

    assert said in error.reason
    assert "rung repair" in error.hint
    assert (site.ledger(), site.tables()) == ([(1, True)], {"a"})


def test_a_failure_that_was_rolled_back_is_no_evidence(site: Site) -> None:
    """golang-migrate left the ledger dirty behind a failure of ours: what ran is not known."""
    site.add("1_a", "CREATE TABLE a ();\nSELECT 1/0;").up_fails(MigrationFailed)
    site.ask("INSERT INTO schema_migrations VALUES (1, true)")
    error = failing(CannotResume, lambda: site.migrator().up(resume=True))

    assert "another tool" in error.reason


def test_a_ledger_written_later_is_no_evidence(site: Site) -> None:
    """golang-migrate was forced back after Rung's attempt, and failed in the same file again."""
    site.add("1_a", _STOPS).up_fails(MigrationFailed)
    site.ask(
        "DROP TABLE a; TRUNCATE schema_migrations; INSERT INTO schema_migrations VALUES (1, true)"
    )
    error = failing(CannotResume, lambda: site.migrator().up(resume=True))

    assert "another tool" in error.reason
    assert "The history says" not in full_text(site.up_fails(DirtyLedger))
    assert (site.ledger(), site.tables()) == ([(1, True)], set())


def test_a_plan_of_it_shows_where_it_goes_on(site: Site) -> None:
    """The plan's first step has what is done, and is made for the dirty ledger."""
    site.add("1_a", _STOPS, "DROP TABLE a;").add_tables(2).up_fails(MigrationFailed)
    plan = site.migrator().plan(Up(resume=True)).plan

    assert [(step.version, step.done) for step in plan.steps] == [(1, 2), (2, 0)]
    assert plan.made_for.dirty
    assert [(s.version, s.done) for s in site.migrator().plan(Up(1, resume=True)).plan.steps] == [
        (1, 2)
    ]
    failing(CannotResume, lambda: site.migrator().plan(Down(resume=True)))
