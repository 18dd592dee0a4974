"""Nothing skipped in silence: baseline, late files, and a database ahead of its files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.database import Database
from rung.errors import (
    DirtyLedger,
    DownRefused,
    LedgerUnreadable,
    MigrationFailed,
    MissingMigrationFile,
    OutOfOrderMigrations,
    RightsMissing,
    StoredSqlUnusable,
    UnversionedDatabase,
)
from rung.events import Warned
from rung.ledger import Outcome
from rung.migrator import Migrator
from rung.planning.down_choice import DownOptions
from rung.planning.plan import Down, Goto, Redo, Up

if TYPE_CHECKING:
    from tests.integration.engine.golang import Golang
    from tests.integration.engine.sites import Site

    from rung.planning.plan import Goal

LATE = "CREATE TABLE late (x int);"


def merged(site: Site) -> Site:
    """A database at 5 by 1 and 5, into which the files 3 and 7 are merged."""
    site.add_tables(1, 5)
    site.up()
    site.events.clear()
    return site.add("3_late", LATE, "DROP TABLE late;").add_tables(7)


def others(site: Site, version: int) -> None:
    """Another tool moves the ledger, knowing nothing of a history."""
    site.ask(f"UPDATE schema_migrations SET version = {version}")


# --- baseline ---------------------------------------------------------------------------


def test_a_baseline_on_first_contact(site: Site, golang: Golang) -> None:
    """What another tool applied is in the history after one run, with the files' texts."""
    site.add_tables(1, 3)
    golang.run("up")
    report = site.migrator().up()

    assert (report.nothing_to_do, site.ledger()) == (True, [(3, False)])
    assert site.history() == [(1, "baseline", "done"), (3, "baseline", "done")]
    assert site.ask("SELECT DISTINCT tool FROM schema_migrations_history") == [("another tool",)]
    assert site.ask("SELECT up_sql FROM schema_migrations_history WHERE version = 1") == [
        ("CREATE TABLE t1 (x int);",)
    ]


def test_the_baseline_is_written_once(site: Site) -> None:
    """From then on a database that is up to date is only looked at."""
    site.add_tables(1)
    site.up()
    site.ask("DROP TABLE schema_migrations_history")
    site.up()
    rows = site.history()
    site.up()

    assert rows == site.history() == [(1, "baseline", "done")]


def test_no_baseline_of_nothing(site: Site) -> None:
    """An empty ledger without a history gets none until something runs."""
    site.ask("CREATE TABLE schema_migrations (version bigint primary key, dirty boolean not null)")
    site.add_tables(1)
    site.migrator().run(Up(0))

    assert site.ask("SELECT to_regclass('schema_migrations_history')") == [(None,)]


def test_another_tool_goes_on(site: Site, golang: Golang) -> None:
    """Where the ledger is found elsewhere, what that tool ran is recorded, and a run goes on."""
    site.add_tables(1, 2)
    site.up()
    site.add_tables(3, 4)
    golang.run("up")
    site.add_tables(5)

    assert site.up() == (5,)
    assert site.history()[2:] == [
        (3, "baseline", "done"),
        (4, "baseline", "done"),
        (5, "up", "done"),
    ]


def test_another_tool_goes_back(site: Site, golang: Golang) -> None:
    """What it undid is not applied any more, and runs again."""
    site.add_tables(1, 2, 3)
    site.up()
    golang.run("goto", "1")

    assert site.up() == (2, 3)
    assert site.history()[3:5] == [(1, "baseline", "done"), (2, "up", "done")]


def test_another_tool_does_not_hide_a_late_file(site: Site, golang: Golang) -> None:
    """A file that golang-migrate passed over in silence is still late here."""
    merged(site)
    golang.run("up")

    assert site.ledger() == [(7, False)]
    assert site.up_fails(OutOfOrderMigrations).out_of_order == (3,)


def test_a_failed_run_leaves_no_baseline(site: Site) -> None:
    """A run that is refused changes nothing, the history included."""
    merged(site)
    others(site, 7)
    before = site.history()
    site.up_fails(OutOfOrderMigrations)

    assert site.history() == before


# --- late files ------------------------------------------------------------------------------


@pytest.mark.parametrize("goal", [Up(), Up(1), Goto(7), Goto(5)])
def test_a_late_file_stops_the_run(site: Site, goal: Up | Goto) -> None:
    """Nothing runs, not even what is pending; the error has the names and the ways out."""
    merged(site)
    error = failing(OutOfOrderMigrations, lambda: site.migrator().run(goal))

    assert (error.files, error.newer, error.below) == (("3_late.up.sql",), (5,), 1)
    assert "rung up --allow-out-of-order 3" in error.hint
    assert (site.tables(), site.ledger()) == ({"t1", "t5"}, [(5, False)])


def test_an_allowed_late_file(site: Site) -> None:
    """It runs, the ledger stays at its maximum until newer ones run, and it is never late again."""
    merged(site)
    report = site.migrator().up(1, allow_out_of_order=[3])
    after_one = site.ledger()

    assert [step.version for step in report.steps] == [3]
    assert (report.version, after_one) == (5, [(5, False)])
    assert site.up() == (7,)
    assert site.history()[2:] == [(3, "up", "done"), (7, "up", "done")]


def test_the_file_allows_itself(site: Site) -> None:
    """With its directive a late file runs for everybody who has it."""
    merged(site).add("3_late", f"-- rung: allow-out-of-order\n{LATE}", "DROP TABLE late;")

    assert site.up() == (3, 7)


def test_a_late_file_that_fails(site: Site) -> None:
    """The ledger stays clean where it was, and the file stays late."""
    merged(site).add("3_late", "SELECT 1/0;")
    with pytest.raises(Exception, match="division by zero"):
        site.migrator().up(allow_out_of_order=[3])

    assert site.ledger() == [(5, False)]
    assert site.up_fails(OutOfOrderMigrations).out_of_order == (3,)


def test_a_late_file_in_units(site: Site) -> None:
    """One that runs unit by unit leaves the ledger at its maximum too."""
    merged(site).add("3_late", "CREATE INDEX CONCURRENTLY i ON t1 (x);", "DROP INDEX i;")
    site.migrator().up(1, allow_out_of_order=[3])

    assert (site.ledger(), site.history()[-1]) == ([(5, False)], (3, "up", "done"))


def test_a_late_file_that_dies_in_units(site: Site) -> None:
    """The ledger is dirty at its maximum, so that going on from there skips nothing applied."""
    merged(site).add("3_late", "CREATE TABLE late (x int);\nVACUUM;\nSELECT 1/0;")
    with pytest.raises(Exception, match="division by zero"):
        site.migrator().up(allow_out_of_order=[3])

    assert site.ledger() == [(5, True)]
    assert "rung up --resume" in site.up_fails(DirtyLedger).hint


def test_a_late_file_that_cannot_be_recorded(site: Site) -> None:
    """Nothing but its row keeps it from running again, so without a history it does not run."""
    merged(site)
    site.ask("CREATE ROLE clerk; GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk")
    site.ask(
        "REVOKE ALL ON schema_migrations_history FROM clerk; "
        "GRANT SELECT ON schema_migrations_history TO clerk"
    )
    as_clerk = Database(site.database.url, role="clerk")
    error = failing(
        RightsMissing, lambda: Migrator(as_clerk, site.folder).up(allow_out_of_order=[3])
    )
    site.ask("DROP OWNED BY clerk; DROP ROLE clerk")

    assert "GRANT" in error.hint
    assert site.ledger() == [(5, False)]


def test_an_ahead_database_hides_nothing(site: Site) -> None:
    """What is let pass with it is named."""
    merged(site)
    site.up_fails(OutOfOrderMigrations)
    for file in (*site.folder.glob("5_*"), *site.folder.glob("7_*")):
        file.unlink()
    site.migrator().up(if_ahead="ok")

    assert site.heard(Warned)[-1].message.endswith(". Never applied: 3")


def test_a_history_of_a_newer_rung(site: Site) -> None:
    """Its rows can be shown, and nothing is decided by what cannot be read."""
    merged(site)
    site.ask(
        "UPDATE schema_migrations_history SET direction = 'squash', tool_version = '9.9' "
        "WHERE version = 5"
    )
    newer = site.up_fails(LedgerUnreadable)
    site.ask("UPDATE schema_migrations_history SET outcome = 'undone' WHERE version = 5")

    assert "squash of version 5, written by rung 9.9" in newer.cause
    assert [entry.outcome for entry in site.migrator().history()][-1] is Outcome.UNKNOWN
    assert site.migrator().version().version == 5
    found = site.migrator().status()
    assert not found.versions("out of order")
    assert "squash of version 5, written by rung 9.9" in found.notes[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("direction = 'sideways'", 'row {}, column direction: "sideways"'),
        ("outcome = 'maybe'", 'row {}, column outcome: "maybe"'),
        ("version = NULL", "row {}, column version: NULL"),
        ("version = -5", 'row {}, column version: "-5"'),
    ],
)
def test_a_row_that_no_rung_writes(site: Site, change: str, said: str) -> None:
    """Every command names the row and the column, and none calls a file late for it."""
    site.add_tables(1).add_tables(2).up()
    history = "schema_migrations_history"
    site.ask(f"UPDATE {history} SET {change} WHERE version = 1")
    [(id_,)] = site.ask(f"SELECT id FROM {history} ORDER BY id LIMIT 1")
    migrator = site.migrator()
    for act in (migrator.status, migrator.history, migrator.up, migrator.down):
        with pytest.raises(LedgerUnreadable, match=said.format(id_)):
            act()


def test_reading_rights_leave_nothing_behind(site: Site) -> None:
    """First contact by a role that may only read the ledger: nothing to do, nothing made."""
    site.add_tables(1)
    site.up()
    site.ask(
        "DROP TABLE schema_migrations_history; CREATE ROLE clerk; "
        "GRANT SELECT ON schema_migrations TO clerk; GRANT ALL ON SCHEMA public TO clerk"
    )
    report = Migrator(Database(site.database.url, role="clerk"), site.folder).up()
    made = site.ask("SELECT to_regclass('schema_migrations_history')")
    site.ask("DROP OWNED BY clerk; DROP ROLE clerk")

    assert (report.nothing_to_do, made) == (True, [(None,)])


def test_going_down_after_a_late_one(site: Site) -> None:
    """Newest version first: the late one is undone in its place, not first."""
    merged(site).migrator().up(allow_out_of_order=[3])

    assert site.migrator().down().version == 5
    assert site.migrator().down().version == 3
    assert site.migrator().down().version == 1
    assert site.tables() == {"t1"}


def test_going_down_over_a_late_one(site: Site) -> None:
    """What was never applied is not undone; then it is simply pending."""
    merged(site)
    report = site.migrator().down()

    assert (report.version, site.tables()) == (1, {"t1"})
    assert site.up() == (3, 5, 7)


def test_the_way_out_of_a_false_alarm(site: Site) -> None:
    """Where its SQL was run by hand, the two commands of the advice record just that."""
    merged(site)
    site.ask(LATE)
    site.migrator().force(1)
    site.migrator().force(5)

    assert site.up() == (7,)


def test_force_does_not_hide_a_late_file(site: Site) -> None:
    """Forcing a version records that version, not what was passed over below it."""
    merged(site)
    site.migrator().force(5)

    assert site.up_fails(OutOfOrderMigrations).out_of_order == (3,)


def test_force_takes_what_is_between(site: Site) -> None:
    """Forced upwards, the files between count as applied, as the command says."""
    site.add_tables(1, 2, 3)
    site.migrator().force(3)

    assert site.up() == ()
    assert site.history() == [
        (1, "force", "done"),
        (2, "force", "done"),
        (3, "force", "done"),
    ]


def test_force_mends_a_ledger_of_two_rows(site: Site) -> None:
    """A ledger that cannot be read can be forced, and what the history knows is kept."""
    merged(site)
    site.ask("INSERT INTO schema_migrations VALUES (9, false)")
    site.migrator().force(5)

    assert site.up_fails(OutOfOrderMigrations).out_of_order == (3,)


# --- ahead -----------------------------------------------------------------------------------


def ahead(site: Site, down: str | None = "DROP TABLE t9;", says: str = "") -> Site:
    """A database at 9, and an older folder that ends at 1."""
    site.add_tables(1).add("9_nine", f"{says}CREATE TABLE t9 (x int);", down)
    site.up()
    site.events.clear()
    for half in site.folder.glob("9_nine.*"):
        half.unlink()
    return site


def test_ahead_is_an_error(site: Site) -> None:
    """It says what the history knows of the version, and how to go back."""
    error = ahead(site).up_fails(MissingMigrationFile)

    assert error.ahead
    assert error.record.startswith("The history has it: nine, applied at ")
    assert "rung down" in error.hint


def test_what_only_a_baseline_holds_is_no_way_back(site: Site, golang: Golang) -> None:
    """Its stored down does not say what ran: no command is named that would be refused."""
    site.add_tables(1, 2)
    golang.run("up")
    site.up()
    for file in site.folder.glob("2_*"):
        file.unlink()
    error = site.up_fails(MissingMigrationFile)

    assert error.record
    assert "rung down" not in error.hint


def test_ahead_can_be_accepted(site: Site) -> None:
    """An older service starts, told that it is older, and nothing is written."""
    ahead(site)
    before = site.history()
    report = site.migrator().up(if_ahead="ok")

    assert (report.nothing_to_do, report.version) == (True, 9)
    assert "ahead" in site.heard(Warned)[0].message
    assert site.history() == before


def test_ahead_and_declared_to_suit(site: Site) -> None:
    """An older service starts where the newer migration says that it may; nothing is written."""
    ahead(site, says="-- rung: compatible-with 1\n")
    before = site.history()
    report = site.migrator().up()

    assert (report.nothing_to_do, report.version) == (True, 9)
    assert "declared compatible with version 1" in site.heard(Warned)[0].message
    assert site.history() == before
    assert failing(MissingMigrationFile, partial(site.migrator().up, if_ahead="fail")).compatible


def test_suitability_that_is_found_out_later(site: Site) -> None:
    """Written into an applied file it is an edit; accepted, an older build reads it."""
    site.add_tables(1, 9).up()
    file = site.folder / "9_t9.up.sql"
    file.write_text(f"-- rung: compatible-with 1\n{file.read_text()}")
    site.migrator().accept_edit(9)
    for half in site.folder.glob("9_t9.*"):
        half.unlink()

    assert site.migrator().up().nothing_to_do


def test_ahead_and_declared_to_suit_newer_ones(site: Site) -> None:
    """A declaration that does not reach down to this build is none for it."""
    error = ahead(site, says="-- rung: compatible-with 2\n").up_fails(MissingMigrationFile)

    assert (error.ahead, error.compatible) == (True, False)


def test_ahead_goes_back_with_the_stored_down(site: Site) -> None:
    """The newer image is not needed: the down was stored when its up was applied."""
    report = ahead(site).migrator().down()

    assert (report.version, site.tables()) == (1, {"t1"})
    assert site.history()[-1] == (9, "down", "done")


def test_goto_goes_back_with_the_stored_down(site: Site) -> None:
    """So does a goto to a version that has a file."""
    assert ahead(site).migrator().goto(1).version == 1


def test_a_stored_version_without_a_down(site: Site) -> None:
    """Where there never was a down file, it is refused, or passed by a word of its own."""
    migrator = ahead(site, None).migrator()
    refused = failing(DownRefused, migrator.down)
    (step,) = migrator.down(downs=DownOptions(unreverted=True)).steps

    assert [problem.kind for problem in refused.problems] == ["missing"]
    assert (step.result, site.ledger(), site.tables()) == (
        "not reverted",
        [(1, False)],
        {"t1", "t9"},
    )


def test_a_stored_down_with_a_secret(site: Site) -> None:
    """The history keeps no secrets, so a masked text is not what would run: it is refused."""
    down = "DROP TABLE t9; ALTER ROLE CURRENT_USER PASSWORD 'hunter2hunter2';"
    error = failing(StoredSqlUnusable, ahead(site, down).migrator().down)

    assert "secret" in error.reason
    assert site.ledger() == [(9, False)]


def test_ahead_by_another_tool(site: Site) -> None:
    """Without a row of the version there is nothing to go back with."""
    site.add_tables(1)
    site.up()
    others(site, 9)

    assert failing(MissingMigrationFile, site.migrator().down).record == ""


# --- tables without a ledger -----------------------------------------------------------------


def test_tables_and_no_ledger(site: Site) -> None:
    """A database that has tables is not migrated from zero in silence."""
    site.add_tables(1)
    site.ask("CREATE TABLE users (x int)")
    error = site.up_fails(UnversionedDatabase)

    assert (error.schema, error.tables) == ("public", ("users",))
    assert site.ask("SELECT to_regclass('schema_migrations')") == [(None,)]


def test_an_empty_ledger_of_a_failed_try_counts_as_none(site: Site, golang: Golang) -> None:
    """A ledger that another tool left empty explains no tables; saying so once does."""
    site.ask("CREATE TABLE t1 (x int)")
    site.add_tables(1, 2)
    golang.run("version")
    assert site.ask("SELECT count(*) FROM schema_migrations") == [(0,)]
    error = site.up_fails(UnversionedDatabase)

    assert (error.tables, "an empty ledger" in error.cause) == (("t1",), True)
    assert "the ledger has no row" in site.migrator().status().notes[0]
    site.migrator().force(1)
    assert site.up() == (2,)
    site.migrator().down(None)
    assert site.up() == (1, 2)


def test_what_a_down_passed_over_is_named_when_it_is_met_again(site: Site) -> None:
    """The up of a version that is not reverted meets its own table; recording it is the way on."""
    site.add("1_a", "CREATE TABLE a (x int);").up()
    site.migrator().run(Down(downs=DownOptions(unreverted=True)))

    advice = site.up_fails(MigrationFailed).hint
    assert "version 1 is recorded as not reverted" in advice
    assert "force" not in advice
    assert "`rung mark-applied 1`" in advice
    site.migrator().mark_applied((1,))
    assert site.ledger() == [(1, False)]
    assert site.up() == ()


def test_a_goto_downwards_passes_what_cannot_be_reverted_when_told_to(site: Site) -> None:
    """The error names the goto itself, and the step is recorded as not reverted."""
    site.add_tables(1).add("2_b", "CREATE TABLE b (x int);").up()
    with pytest.raises(DownRefused, match="`rung goto 1 --allow-missing-down`"):
        site.migrator().run(Goto(1))

    site.migrator().run(Goto(1, downs=DownOptions(unreverted=True)))
    assert (site.ledger(), "b" in site.tables()) == ([(1, False)], True)
    assert [line.state for line in site.migrator().status().lines] == ["applied", "not reverted"]


@pytest.mark.parametrize("goal", [Redo(), Up()])
def test_what_a_down_left_is_not_called_unrecorded(site: Site, goal: Goal) -> None:
    """The history explains an empty ledger: the down ran, and left what the up makes."""
    site.add("1_a", "CREATE TABLE a (x int);", "SELECT 1;").up()
    if isinstance(goal, Up):
        site.migrator().down()
    with pytest.raises(MigrationFailed, match="its down did not drop it"):
        site.migrator().run(goal)


def test_saying_that_it_starts_at_zero(site: Site) -> None:
    """The advice's command says so once, and then the run is a usual one."""
    site.add_tables(1)
    site.ask("CREATE TABLE users (x int)")
    site.migrator().force(None)

    assert site.up() == (1,)


def test_a_ledger_lost_and_its_history_kept(site: Site) -> None:
    """The history that is still there is pointed to."""
    site.add_tables(1, 2)
    site.up()
    site.ask("DROP TABLE schema_migrations")

    assert "at version 2" in site.up_fails(UnversionedDatabase).record
