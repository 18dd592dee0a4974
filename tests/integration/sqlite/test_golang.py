"""The real golang-migrate and Rung on one file, in turns and at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing, wait_for
from tests.integration.sqlite.sites import spin

from rung.errors import DirtyLedger, LedgerMoved, MigrationFailed
from rung.events import Event, StepStarted

if TYPE_CHECKING:
    from tests.integration.sqlite.golang import Golang
    from tests.integration.sqlite.sites import Site

pytestmark = pytest.mark.oracle


def test_in_turns(site: Site, golang: Golang) -> None:
    """Each goes on where the other stopped; one row throughout."""
    site.add_tables(1, 2, 3, 4)
    golang.run("up", "1")
    assert site.migrator().up(1).version == 2
    assert golang.run("up", "1")[0] == 0
    assert (site.up(), golang.run("version")) == ((4,), (0, "4"))
    assert golang.run("down", "1")[0] == 0
    assert site.ledger() == [(3, 0)]
    assert site.migrator().down(2).version == 1

    assert golang.run("down", "-all")[0] == 0
    assert (site.ledger(), site.tables()) == ([], set())
    assert site.up() == (1, 2, 3, 4)


def test_the_same_schema(site: Site, golang: Golang) -> None:
    """The same files leave the same stored texts, whoever runs them."""
    site.add("1_a", "CREATE  TABLE a (x) -- why\n;\nCREATE VIEW v AS SELECT x /* all */ FROM a ;\n")
    site.add("2_b", "CREATE INDEX i ON a (x) -- rung: nothing\n; CREATE TABLE b (y) /* end")
    golang.run("up")
    schema = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%history' ORDER BY name"
    theirs = site.ask(schema)
    site.file.unlink()
    site.up()

    assert site.ask(schema) == theirs


def test_what_it_leaves_dirty(site: Site, golang: Golang) -> None:
    """A file that fails leaves golang-migrate dirty at it, and Rung clean before it."""
    site.add_tables(1).add("2_b", "CREATE TABLE b (x); SELECT nope;")
    failing(MigrationFailed, site.migrator().up)
    assert (site.ledger(), golang.run("version")) == ([(1, 0)], (0, "1"))

    said = "error: no such column: nope in line 0: CREATE TABLE b (x); SELECT nope;"
    assert golang.run("up") == (1, said)
    assert site.ledger() == [(2, 1)]
    assert site.migrator().version().dirty


def test_its_drop_after_us(site: Site, golang: Golang) -> None:
    """Nothing that we make stands in its drop's way."""
    site.add_tables(1, 2).up()

    assert golang.run("drop", "-f") == (0, "")
    assert site.tables() == set()


def test_we_come_while_it_works(site: Site, golang: Golang) -> None:
    """Its dirty mark stops us; when it is done, nothing is left to do."""
    slow = f"INSERT INTO a VALUES (1); {spin(9_000_000)}"
    site.add("1_a", "CREATE TABLE a (x);").add("2_b", slow)
    site.migrator().up(1)
    theirs = golang.begin("up")
    assert wait_for(lambda: site.ledger() == [(2, 1)])
    failing(DirtyLedger, site.migrator().up)

    theirs.communicate(timeout=60)
    assert theirs.returncode == 0
    assert (site.up(), site.ledger()) == ((), [(2, 0)])
    assert site.ask("SELECT x FROM a") == [(1,)]


def test_it_comes_between_our_look_and_our_step(site: Site, golang: Golang) -> None:
    """It takes no lock, so it can come there; our step then moves nothing and is taken back."""
    site.add("1_a", "CREATE TABLE a (x);").add("2_b", "INSERT INTO a VALUES (1);")
    site.migrator().up(1)

    def meddle(event: Event) -> None:
        if isinstance(event, StepStarted):
            assert golang.run("up")[0] == 0

    failing(LedgerMoved, site.migrator(listener=meddle).up)

    assert site.ask("SELECT x FROM a") == [(1,)]
    assert site.ledger() == [(2, 0)]
