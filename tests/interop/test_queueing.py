"""Who needs a lock that a reader has: golang-migrate queues for it, `migrate` does not stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.integration.engine.sites import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.engine.sites import Site
    from tests.interop.tools import Tool

pytestmark = pytest.mark.oracle

_ALTERS = "ALTER TABLE t1 ADD COLUMN c int;"
_NO_LOCK = "canceling statement due to lock timeout"


@pytest.fixture
def reader(site: Site, ours: Tool) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Keep a reader of a table in its transaction."""
    assert ours.run("up").code == 0
    with psycopg.connect(site.database.conninfo, application_name="web") as connection:
        connection.execute("SELECT * FROM t1")
        yield connection


@pytest.fixture
def site(site: Site) -> Site:
    """Give a table that somebody reads, made by the first migration."""
    return site.add_tables(1)


def _waits(site: Site) -> bool:
    return bool(site.ask("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 't1'::regclass"))


def _gets_through(site: Site) -> bool:
    """Whether another request is answered within a second."""
    with site.database.connect(options="-c statement_timeout=1s") as connection:
        try:
            connection.execute("SELECT * FROM t1")
        except psycopg.errors.QueryCanceled:
            return False
        return True


def test_requests_pass_between_the_tries(
    site: Site, ours: Tool, real: Tool, reader: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Behind golang-migrate they stop as long as the reader reads; both end well."""
    site.add("2_c", _ALTERS, "ALTER TABLE t1 DROP COLUMN c;")
    theirs = real.begin("up")
    assert wait_for(lambda: _waits(site), 20)
    stopped = not _gets_through(site)
    reader.rollback()
    assert theirs.end().code == 0
    reader.execute("SELECT * FROM t1")
    run = ours.begin("down", "1")
    assert wait_for(lambda: "lock timeout after 200 ms" in run.said, 20)
    passed = _gets_through(site)
    reader.rollback()

    assert (stopped, passed) == (True, True)
    assert (run.end().code, site.ledger()) == (0, [(1, False)])
    assert f"Blocked by process {reader.info.backend_pid}" in run.said


@pytest.mark.parametrize(
    ("sql", "query", "said"),
    [
        ("BEGIN; LOCK TABLE t1 NOWAIT; COMMIT;", "", "could not obtain lock"),
        (f"SET lock_timeout = '300ms'; {_ALTERS}", "", _NO_LOCK),
        (_ALTERS, "options=-c%20lock_timeout%3D300ms", _NO_LOCK),
    ],
)
def test_what_asks_not_to_wait_fails(
    site: Site,
    ours: Tool,
    real: Tool,
    reader: psycopg.Connection[tuple[object, ...]],
    sql: str,
    query: str,
    said: str,
) -> None:
    """As it does there, at the first time."""
    assert reader.info.backend_pid
    site.add("2_c", sql)
    mine = ours.having(query=query).run("up")
    theirs = real.having(query=query).run("up")

    assert (mine.code, said in mine.said) == (1, True)
    assert (theirs.code, said in theirs.said) == (1, True)
