"""At any moment the real golang-migrate goes on where we stopped, and we where it did."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import DirtyLedger, MigrationFailed

if TYPE_CHECKING:
    from tests.integration.engine.golang import Golang
    from tests.integration.engine.sites import Site

pytestmark = pytest.mark.oracle

_DDL = """
    SELECT c.relname::text, a.attname::text, a.attnum::int, a.attnotnull,
           format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid),
           a.attidentity::text, a.attstorage::text, c.relpersistence::text, c.reloptions,
           c.relreplident::text, c.relacl::text, c.relowner::int
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relname LIKE 'schema_migrations%' AND c.relname NOT LIKE '%history%'
     ORDER BY 1, 3
"""
_RULES = """
    SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint
     WHERE conrelid = 'schema_migrations'::regclass ORDER BY 1
"""


def _said(answer: tuple[int, str]) -> tuple[int, str]:
    """An answer of golang-migrate without its durations."""
    return answer[0], re.sub(r" \([0-9.hmnsµ]+\)", "", answer[1])


def test_the_ledger_is_golangs(site: Site, golang: Golang) -> None:
    """The table that we make is the one that golang-migrate makes, column by column."""
    site.add_tables(1).up()
    ours = (site.ask(_DDL), site.ask(_RULES))
    site.ask("DROP TABLE schema_migrations, schema_migrations_history, t1")
    golang.run("up")

    assert (site.ask(_DDL), site.ask(_RULES)) == ours


@pytest.mark.parametrize("version", [1, 2, 3])
def test_golang_goes_on_from_each_version(site: Site, golang: Golang, version: int) -> None:
    """version, down 1 and up of golang-migrate work at every version that we stop at."""
    site.add_tables(1, 2, 3).migrator().up(version)

    assert golang.run("version") == (0, str(version))
    assert _said(golang.run("down", "1")) == (0, f"{version}/d t{version}")
    rest = "\n".join(f"{number}/u t{number}" for number in range(version, 4))
    assert _said(golang.run("up")) == (0, rest)
    assert site.up() == ()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_we_go_on_from_each_version_of_golang(site: Site, golang: Golang, version: int) -> None:
    """Down and up of ours work at every version that golang-migrate stops at."""
    site.add_tables(1, 2, 3)
    golang.run("up", str(version))

    assert site.migrator().version().version == version
    assert [step.version for step in site.migrator().down().steps] == [version]
    assert site.up() == tuple(range(version, 4))
    assert golang.run("up") == (0, "no change")


def test_back_and_forth(site: Site, golang: Golang) -> None:
    """The two take turns on one database and neither notices."""
    site.add_tables(1, 2, 3, 4)
    site.migrator().up(1)
    golang.run("up", "1")
    site.migrator().up(1)
    golang.run("down", "2")
    site.migrator().goto(4)

    assert golang.run("version") == (0, "4")
    assert site.tables() == {"t1", "t2", "t3", "t4"}
    assert _said(golang.run("down", "-all")) == (0, "4/d t4\n3/d t3\n2/d t2\n1/d t1")
    assert (site.ledger(), site.up()) == ([], (1, 2, 3, 4))


def test_all_the_way_down(site: Site, golang: Golang) -> None:
    """After our last down golang-migrate sees no migration and starts over."""
    site.add_tables(1, 2).up()
    site.migrator().down(None)

    assert golang.run("version") == (1, "error: no migration")
    assert _said(golang.run("up")) == (0, "1/u t1\n2/u t2")


def test_after_a_failure_of_ours_golang_is_clean(site: Site, golang: Golang) -> None:
    """A transactional failure leaves nothing that golang-migrate would stop at."""
    site.add_tables(1).add("2_b", "CREATE TABLE b ();\nSELECT 1/0;").up_fails(MigrationFailed)

    assert golang.run("version") == (0, "1")
    site.add("2_b", "CREATE TABLE b ();")
    assert _said(golang.run("up")) == (0, "2/u b")


def test_our_dirty_is_golangs_dirty(site: Site, golang: Golang) -> None:
    """A dirty ledger of ours reads in golang-migrate as its own."""
    site.add("1_a", "CREATE TABLE a ();\nVACUUM;\nSELECT 1/0;").up_fails(MigrationFailed)

    assert golang.run("version") == (0, "1 (dirty)")
    assert golang.run("up") == (1, "error: Dirty database version 1. Fix and force version.")
    assert golang.run("force", "1") == (0, "")
    assert site.up() == ()


def test_golangs_dirty_is_our_dirty(site: Site, golang: Golang) -> None:
    """A failed run of golang-migrate is told as what it is, and forced away."""
    site.add_tables(1).add("2_b", "SELECT 1/0;")
    golang.run("up")
    error = site.up_fails(DirtyLedger)

    assert error.version == 2
    assert "another tool did" in error.detail
    site.migrator().force(1)
    assert site.add("2_b", "SELECT 1;").up() == (2,)


def test_golangs_failed_last_down(site: Site, golang: Golang) -> None:
    """golang-migrate's dirty -1 is dirty at no version, and `force none` clears it."""
    site.add("1_a", "CREATE TABLE a ();", "SELECT 1/0;")
    golang.run("up")
    golang.run("down", "1")

    assert site.ledger() == [(-1, True)]
    assert failing(DirtyLedger, site.migrator().down).version is None
    site.migrator().force(None)
    assert golang.run("version") == (1, "error: no migration")


def test_golang_after_our_drop(site: Site, golang: Golang) -> None:
    """After our drop golang-migrate starts over, and we after its."""
    site.add_tables(1, 2).up()
    site.migrator().drop()
    assert _said(golang.run("up")) == (0, "1/u t1\n2/u t2")

    assert golang.run("drop", "-f") == (0, "")
    assert site.up() == (1, 2)


def test_version_zero(site: Site, golang: Golang) -> None:
    """Version 0 is a version like any other, for both."""
    site.add_tables(0, 1).migrator().up(1)
    assert golang.run("version") == (0, "0")
    assert _said(golang.run("up")) == (0, "1/u t1")

    assert [step.version for step in site.migrator().down(2).steps] == [1, 0]
    assert golang.run("version") == (1, "error: no migration")


def test_the_largest_version(site: Site, golang: Golang) -> None:
    """2^63-1 fits the ledger."""
    largest = 2**63 - 1

    assert site.add_tables(largest).up() == (largest,)
    assert golang.run("version") == (0, str(largest))
