"""A ledger ahead of the schema: noticed when Rung first meets the database, and by `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.events import Warned

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

FILES = {
    "1_a": "CREATE TABLE a (x int);",
    "2_b": "ALTER TABLE a ADD COLUMN y int; CREATE TYPE e AS ENUM ('z');",
    "3_c": 'CREATE TABLE "C" (x int); CREATE INDEX i ON "C" (x);',
    "4_d": "UPDATE a SET y = 1;",
}


@pytest.fixture
def taken_over(site: Site) -> Site:
    """A database at version 1, and four files."""
    for name, up in FILES.items():
        site.add(name, up)
    site.migrator().up(1)
    return site


def claim(site: Site, version: int) -> None:
    """Write the ledger by hand, as for a database that another tool migrated."""
    site.ask("DROP TABLE schema_migrations_history")
    site.ask(f"UPDATE schema_migrations SET version = {version}")
    site.events.clear()


def warnings(site: Site) -> list[str]:
    """What was warned of so far."""
    return [event.message for event in site.heard(Warned)]


def test_a_wrong_number_is_noticed_once(taken_over: Site) -> None:
    """The first run names what is not there and the version to record; the next is idle."""
    claim(taken_over, 4)
    taken_over.up()
    taken_over.up()
    [said] = warnings(taken_over)

    for name in ('column "y" of a (2_b.up.sql)', "type e (2_b.up.sql)", "table C (3_c.up.sql)"):
        assert name in said
    assert "if it is that of version 1, record that: `rung force 1`" in said


def test_the_way_out(taken_over: Site) -> None:
    """What the warning says to do brings the schema to the ledger; `doctor` agrees."""
    claim(taken_over, 3)
    taken_over.migrator().up(0)
    (found,) = taken_over.migrator().doctor().serious
    taken_over.migrator().force(1)
    applied = taken_over.up()

    assert (found.kind, found.fix) == ("ledger ahead of the schema", "rung force 1")
    assert applied == (2, 3, 4)
    assert taken_over.migrator().doctor().problems == ()


def test_a_right_number_is_not_warned_of(taken_over: Site) -> None:
    """Where all that the files make is there, nothing is said."""
    taken_over.up()
    claim(taken_over, 4)
    taken_over.up()

    assert (warnings(taken_over), taken_over.migrator().absent().names) == ([], ())


def test_something_removed_by_hand(taken_over: Site) -> None:
    """One name that is gone among newer ones that are there suggests no version."""
    taken_over.up()
    taken_over.ask("ALTER TABLE a DROP COLUMN y")
    claim(taken_over, 4)
    taken_over.up()
    [said] = warnings(taken_over)

    assert 'lacks objects of the files up to it: column "y" of a (2_b.up.sql)' in said
    assert "force" not in said
    assert [one.fix for one in taken_over.migrator().doctor().serious] == [""]
    taken_over.add("5_e", "ALTER TABLE a DROP COLUMN IF EXISTS y;").up()
    assert taken_over.migrator().doctor().serious == ()


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ("ALTER TABLE a SET SCHEMA elsewhere", ["table a", 'column "y" of a']),
        ("ALTER TABLE a SET SCHEMA ops", []),
        ("ALTER TYPE e SET SCHEMA elsewhere", ["type e"]),
    ],
)
def test_where_names_are_looked_for(taken_over: Site, change: str, lacks: list[str]) -> None:
    """On the search path and beside the ledger, and not in other schemas."""
    taken_over.up()
    taken_over.ask(f"CREATE SCHEMA elsewhere; CREATE SCHEMA ops; {change}")
    claim(taken_over, 4)
    taken_over.ask(f"ALTER DATABASE {taken_over.database.name} SET search_path = public, ops")
    found = taken_over.migrator().absent()

    assert [str(name) for name in found.names if not (name.column and len(lacks) == 2)] == lacks[:1]


def test_names_on_a_path_that_a_file_sets(site: Site) -> None:
    """What is made under another search path counts as there, whichever schema has it."""
    site.add("1_a", "CREATE SCHEMA app; SET search_path TO app; CREATE TABLE a (x int);")
    site.up()
    claim(site, 1)
    site.up()

    assert warnings(site) == []


def test_what_was_not_checked_is_told(taken_over: Site) -> None:
    """Code that nobody reads, and files that are not named, are a remark of doctor's."""
    taken_over.add("3_c", "DO $$ BEGIN CREATE TABLE c (x int); END $$")
    taken_over.up()
    claim(taken_over, 4)
    (remark,) = taken_over.migrator().doctor().harmless

    assert (remark.kind, "code called by DO in 3_c.up.sql" in remark.description) == (
        "schema not checked",
        True,
    )
