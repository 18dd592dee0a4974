"""
With the same URL both take the same lock, however odd the URL is.

golang-migrate's command locks by the path of its URL, with schema and table of the ledger; the
numbers are those of its own lock, as the server shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.integration.engine.sites import Site, wait_for
from tests.interop.gates import THROUGH_THE_GATE, Gate, queued
from tests.interop.tools import Tool, named
from tests.servers import named_database, throwaway_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.conftest import Make

    from rung.embedded import EmbeddedServer

pytestmark = pytest.mark.oracle

_QUOTED = "x-migrations-table-quoted=1&x-migrations-table=%22s2%22.%22mig%22"
_HELD = (
    "SELECT objid::bigint FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = "
    "'advisory' AND classid = 0 AND granted AND application_name NOT LIKE 'rung%' AND objid <> 7"
)
"""What golang-migrate holds; 7 is the gate's."""


class Form(NamedTuple):
    """A way to name a database, and golang-migrate's key for it."""

    key: int
    path: str
    query: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    database: str = "chatapp"
    scheme: str = "postgres"


_FORMS = {
    "plain": Form(3999065708, "/chatapp"),
    "plain-pgx5": Form(3999065708, "/chatapp", scheme="pgx5"),
    "dbname": Form(3607770239, "", "dbname=chatapp"),
    "environment": Form(3607770239, "", environment=(("PGDATABASE", "chatapp"),)),
    "slash": Form(2551455205, "/", environment=(("PGDATABASE", "chatapp"),)),
    "slash-pgx5": Form(2551455205, "/", environment=(("PGDATABASE", "chatapp"),), scheme="pgx5"),
    "space": Form(1892898460, "/chat%20app", database="chat app"),
    "space-pgx5": Form(1892898460, "/chat%20app", database="chat app", scheme="pgx5"),
    "path-of-schemas": Form(1383667862, "/chatapp", "search_path=s2"),
    "table": Form(1848556278, "/chatapp", "x-migrations-table=mig"),
    "quoted-table": Form(3949201213, "/chatapp", _QUOTED),
}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """Run a server apart: on the worker's there may be a database of the same name."""
    yield from throwaway_server()


@pytest.fixture(params=_FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    """Give each form."""
    return _FORMS[request.param]


@pytest.fixture
def site(form: Form, server: EmbeddedServer, tmp_path: Path) -> Iterator[Site]:
    """Make a database of the form's name, and a folder with a migration that waits."""
    with named_database(server, form.database) as made:
        made.psql("CREATE SCHEMA s2")
        folder = tmp_path / "migrations"
        folder.mkdir()
        yield Site(made, folder).add("1_a", f"CREATE TABLE a (); {THROUGH_THE_GATE}")


def _with(form: Form, tool: Tool) -> Tool:
    url = named(tool.site, form.path, form.query).replace("postgres:", f"{form.scheme}:", 1)
    return tool.having(url=url, environment=dict(form.environment))


def test_ours_waits_for_golang(site: Site, make: Make, gate: Gate, form: Form) -> None:
    """While golang-migrate is in a body we wait, and have nothing to do then."""
    theirs = _with(form, make("real")).begin("up")
    assert gate.reached()
    assert site.ask(_HELD) == [(form.key,)]
    ours = _with(form, make("ours")).begin("up")
    assert wait_for(lambda: "The lock is held by" in ours.said, 30)
    gate.open()

    assert (theirs.end().code, ours.end().code) == (0, 0)
    assert ours.said.endswith("no change\n")


def test_golang_waits_for_ours(site: Site, make: Make, gate: Gate, form: Form) -> None:
    """While we are in a body golang-migrate queues, and has nothing to do then."""
    ours = _with(form, make("ours")).begin("up")
    assert gate.reached()
    theirs = _with(form, make("real")).begin("up")
    assert wait_for(lambda: queued(site) == 1)
    gate.open()

    assert ours.end().code == 0
    assert theirs.end() == (0, "no change")
