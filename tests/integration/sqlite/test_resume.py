"""A file that stopped goes on in a session that is as it had set its own, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import CannotResume, MigrationFailed

if TYPE_CHECKING:
    from tests.integration.sqlite.sites import Site

_FRUIT = "CREATE TABLE t (n text); INSERT INTO t VALUES ('Apple'), ('avocado'), ('Banana');"
_REST = (
    "BEGIN; CREATE TABLE k (i int); COMMIT;"
    "BEGIN; INSERT INTO k SELECT nope FROM t; DELETE FROM t WHERE n LIKE 'A%'; COMMIT;"
)


def _stopped(site: Site, pragma: str) -> None:
    site.add("1_a", _FRUIT).add("2_b", f"{pragma}; {_REST}")
    failing(MigrationFailed, site.migrator().up)
    site.add("2_b", f"{pragma}; {_REST}".replace("nope", "1"))


def test_a_pragma_of_what_is_done_is_made_again(site: Site) -> None:
    """The rows that go are those that go where nothing stops."""
    _stopped(site, "PRAGMA case_sensitive_like = on")
    site.migrator().up(resume=True)

    assert site.ask("SELECT n FROM t ORDER BY n") == [("Banana",), ("avocado",)]


@pytest.mark.parametrize("pragma", ["PRAGMA nobody_knows = 1", "CREATE TEMP TABLE x (i int)"])
def test_what_cannot_be_made_again_is_refused(site: Site, pragma: str) -> None:
    """The statement is named, and no row goes."""
    _stopped(site, pragma)
    error = failing(CannotResume, lambda: site.migrator().up(resume=True))

    assert "statement 1 on line 1" in error.reason
    assert site.ask("SELECT count(*) FROM t") == [(3,)]
