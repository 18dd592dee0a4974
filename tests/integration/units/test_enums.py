"""A value that is added to an enum and used in one file: cut in two where that is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.errors import MigrationFailed
from rung.events import ModeChanged

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_TYPE = "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (m mood);"
_USES = (
    "CREATE TABLE a ();\nALTER TYPE mood ADD VALUE 'ok';\nCREATE TABLE b ();\n"
    "INSERT INTO t VALUES ('ok');\nCREATE TABLE c ();"
)


def test_it_runs_in_two_transactions(site: Site) -> None:
    """The server's refusal has rolled it back; then it commits behind the value, and goes on."""
    report = site.add("1_t", _TYPE).add("2_v", _USES).migrator().up()

    assert [step.mode for step in report.steps] == ["transactional", "unit by unit"]
    assert site.ask("SELECT m::text FROM t") == [("ok",)]
    assert site.progress()[-1] == ("done", 5, 5, None)
    assert "uses an enum value that it adds" in site.heard(ModeChanged)[0].reason


def test_it_is_cut_again_where_it_must(site: Site) -> None:
    """Two values, each used before the next is added, make three transactions."""
    more = "ALTER TYPE mood ADD VALUE 'fine';\nINSERT INTO t VALUES ('fine');"
    site.add("1_t", _TYPE).add("2_v", f"{_USES}\n{more}").up()

    assert site.ask("SELECT count(*) FROM t") == [(2,)]


def test_a_failure_behind_the_cut_is_resumed_as_one_transaction(site: Site) -> None:
    """What comes behind the value is one transaction: all of it is undone, and run again."""
    site.add("1_t", _TYPE).add("2_v", f"{_USES}\nSELECT 1/0;").up_fails(MigrationFailed)
    assert (site.tables(), site.progress()[-1]) == ({"t", "a"}, ("failed", 2, 6, None))
    site.add("2_v", f"{_USES}\nSELECT 1;").migrator().up(resume=True)

    assert site.ledger() == [(2, False)]
    assert site.ask("SELECT count(*) FROM t") == [(1,)]


@pytest.mark.parametrize(
    "text",
    [
        f"SET LOCAL work_mem = '1MB';\n{_USES}",
        f"CREATE TEMP TABLE x (y int) ON COMMIT DROP;\n{_USES}",
        f"BEGIN;\n{_USES}\nCOMMIT;",
    ],
    ids=["set local", "on commit drop", "own transaction"],
)
def test_it_is_not_cut_where_that_is_not_safe(site: Site, text: str) -> None:
    """Nothing of it is kept, and the error says where the value has to go."""
    error = site.add("1_t", _TYPE).add("2_v", text).up_fails(MigrationFailed)

    assert (error.server.sqlstate, error.dirty) == ("55P04", False)
    assert "a migration of its own before" in error.hint
    assert site.ledger() == [(1, False)]


def test_the_plan_says_it_ahead(site: Site) -> None:
    """Where the text shows it; a type that is made in the same file is no case of it."""
    site.add("1_t", f"{_TYPE}\nALTER TYPE mood ADD VALUE 'new';\nINSERT INTO t VALUES ('new');")
    site.add("2_v", _USES)

    told = [item.new_value for item in site.migrator().plan().prepared]

    assert told[0] == ""
    assert told[1].startswith("line 4 uses a value that line 2 adds to an enum")
    assert told[1].endswith("it runs in two transactions")
    assert site.up() == (1, 2)
