"""A ledger ahead of the schema on SQLite: noticed at the first run, and by `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.events import Warned

if TYPE_CHECKING:
    from tests.integration.sqlite.sites import Site


def test_a_wrong_number_is_noticed_once(site: Site) -> None:
    """Names count whatever their letter case; what is not there is named, and the way out."""
    site.add("1_a", 'CREATE TABLE "A" (x); CREATE VIEW v AS SELECT 1;').add(
        "2_b", "ALTER TABLE a ADD y; CREATE TABLE B (x);"
    )
    site.migrator().up(1)
    site.ask("DROP TABLE schema_migrations_history")
    site.ask("UPDATE schema_migrations SET version = 2")
    site.events.clear()
    site.migrator().up()
    site.migrator().up()
    [said] = [event.message for event in site.events if isinstance(event, Warned)]

    assert said.startswith(
        "the ledger is at version 2, but the database lacks objects of the files up to it: "
        'column "y" of a (2_b.up.sql) and table B (2_b.up.sql). '
    )
    assert [one.fix for one in site.migrator().doctor().serious] == ["rung force 1"]
