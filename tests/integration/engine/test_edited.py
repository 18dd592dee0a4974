"""Edits are detected: that of an applied up stops the run, that of a down does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import EditedMigrations, MissingMigrationFile, PlanChanged, UsageError
from rung.events import Warned
from rung.render.errors import full_text

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

UP, DOWN = "CREATE TABLE a (x int);\n", "DROP TABLE a;\n"


def edited(site: Site, up: str = "CREATE TABLE a (x bigint);\n", down: str = DOWN) -> Site:
    """A database at 1 whose files say something else now, and a pending 2."""
    site.add("1_a", UP, DOWN)
    site.up()
    site.events.clear()
    return site.add("1_a", up, down).add_tables(2)


def test_an_edited_up_stops_the_run(site: Site) -> None:
    """The diff is against the text that was applied; nothing runs."""
    error = edited(site).up_fails(EditedMigrations)

    assert error.detail.splitlines()[-2:] == [
        "-CREATE TABLE a (x int);",
        "+CREATE TABLE a (x bigint);",
    ]
    assert (site.tables(), site.ledger()) == ({"a"}, [(1, False)])


def test_also_where_nothing_is_pending(site: Site) -> None:
    """A service with an edited file does not start as if nothing were."""
    site.add("1_a", UP, DOWN)
    site.up()
    site.add("1_a", "SELECT 1;", DOWN)

    assert site.up_fails(EditedMigrations).edits[0].version == 1


@pytest.mark.parametrize(
    "text",
    [
        f"-- Copyright\n{UP}",
        UP.replace("\n", "\r\n"),
        "\ufeff" + UP,
        "create   table A(x INT) ;",
    ],
)
def test_what_is_no_edit(site: Site, text: str) -> None:
    """Comments, spacing, line ends, a BOM and letter case change nothing."""
    assert edited(site, text).up() == (2,)


def test_an_edited_down_is_stored(site: Site) -> None:
    """A fixed down stops nothing; the next run that writes stores its text."""
    edited(site, UP, "DROP TABLE IF EXISTS a;").up()

    assert site.history()[1:] == [(1, "edit", "done"), (2, "up", "done")]
    assert site.ask("SELECT down_sql FROM schema_migrations_history WHERE direction = 'edit'") == [
        ("DROP TABLE IF EXISTS a;",)
    ]
    assert site.migrator().status().lines[0].note == ""


def test_an_edited_down_alone_writes_nothing(site: Site) -> None:
    """A database that is up to date stays untouched; the status tells of the edit."""
    edited(site, UP, "SELECT 1;")
    (site.folder / "2_t2.up.sql").unlink()
    (site.folder / "2_t2.down.sql").unlink()
    site.up()

    assert site.history() == [(1, "up", "done")]
    assert "down was edited" in site.migrator().status().lines[0].note


def test_going_down_is_not_stopped(site: Site) -> None:
    """Going back is a way out; the edit is told, and the new text runs when it goes up again."""
    edited(site).migrator().down()

    assert "1_a.up.sql" in site.heard(Warned)[0].message
    assert site.up() == (1, 2)
    assert site.ask("SELECT data_type FROM information_schema.columns WHERE table_name = 'a'") == [
        ("bigint",)
    ]


def test_accepting_an_edit(site: Site) -> None:
    """It runs nothing, says who did it, and the edit is the text from then on."""
    migrator = edited(site).migrator()
    shown = migrator.edited(1)

    assert migrator.accept_edit(1, expected=shown) == shown
    assert site.up() == (2,)
    assert site.history()[1] == (1, "edit", "done")
    who = "SELECT database_user = current_user FROM schema_migrations_history"
    assert site.ask(f"{who} WHERE direction = 'edit'") == [(True,)]


def test_an_accepted_exchange_has_its_own_name(site: Site) -> None:
    """No later run says that it was only renamed."""
    site.add("1_mine", UP, DOWN).up()
    for half in ("up", "down"):
        (site.folder / f"1_mine.{half}.sql").unlink()
    site.add("1_email", "CREATE TABLE b (i int);", "DROP TABLE b;")
    site.migrator().accept_edit(1)
    site.events.clear()
    site.up()

    assert site.heard(Warned) == []
    assert [line.note for line in site.migrator().status().lines] == [""]


def test_accepting_another_edit_than_was_shown(site: Site) -> None:
    """A file that changed meanwhile is not accepted unseen."""
    shown = edited(site).migrator().edited(1)
    site.add("1_a", "SELECT 1;", DOWN)

    failing(PlanChanged, lambda: site.migrator().accept_edit(1, expected=shown))
    assert site.history() == [(1, "up", "done")]


@pytest.mark.parametrize(("version", "kind"), [(2, UsageError), (9, MissingMigrationFile)])
def test_accepting_nothing(site: Site, version: int, kind: type[UsageError]) -> None:
    """A version that is not applied, or that nobody knows, has no edit to accept."""
    failing(kind, lambda: edited(site).migrator().accept_edit(version))


def test_accepting_no_edit(site: Site) -> None:
    """A file whose comments changed is no edit."""
    error = failing(UsageError, lambda: edited(site, f"--\n{UP}").migrator().accept_edit(1))

    assert "not edited" in error.cause


def test_a_secret_is_not_shown_in_a_diff(site: Site) -> None:
    """Both sides are masked, and a change of the secret alone is told without it."""
    secret = "ALTER ROLE CURRENT_USER PASSWORD 'hunter2hunter2';"
    site.add("1_a", secret, DOWN)
    site.up()
    site.add("1_a", secret.replace("hunter2h", "hunter3h"), DOWN)
    error = site.up_fails(EditedMigrations)

    assert "hunter" not in full_text(error)
    assert "secret" in error.edits[0].diff


def test_a_baseline_is_compared_too(site: Site) -> None:
    """What another tool applied is held to the text that was there at baseline."""
    edited(site)
    site.ask("DROP TABLE schema_migrations_history")
    site.up()
    site.add("1_a", UP, DOWN)

    assert site.up_fails(EditedMigrations).edits[0].file == "1_a.up.sql"
