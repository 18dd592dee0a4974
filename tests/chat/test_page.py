"""The page's files as they are sent, and the schema's state that its panel shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.chat.image import ROOT
from tests.chat.serving import chat, settings, speaking

from chatapp.api import page
from chatapp.app import create_app
from chatapp.postgres import SchemaReader, run_migrations

if TYPE_CHECKING:
    from tests.chat.serving import Client
    from tests.servers import Database

FILES = sorted((ROOT / "backend" / "chatapp" / "page").iterdir())
SHARED = {
    "cache-control": "no-cache",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
UP_TO_DATE = "SELECT"
DIRTY = "UPDATE schema_migrations SET dirty = true"
AHEAD = "UPDATE schema_migrations SET version = version + 1"
BEHIND = "UPDATE schema_migrations SET version = version - 1"


@pytest.mark.parametrize("path", sorted(page.PATHS - {"/openapi.json"}))
def test_every_file_is_sent_with_its_policy(anybody: Client, path: str) -> None:
    """Each file has a type, and a policy that lets it load nothing from elsewhere."""
    sent = anybody.http.get(path)
    rules = sent.headers["content-security-policy"].split("; ")
    policy = dict(rule.split(" ", 1) for rule in rules)

    assert sent.status_code == 200
    assert re.match(r"text/(html|css|javascript)|image/svg\+xml", sent.headers["content-type"])
    assert SHARED.items() <= sent.headers.items()
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/docs/swagger-ui-bundle.js"])
def test_what_the_browser_has_is_not_sent_again(anybody: Client, path: str) -> None:
    """Asked with the tag that it was sent with, a file is not sent; with another one it is."""
    tag = anybody.http.get(path).headers["etag"]
    again = anybody.http.get(path, headers={"if-none-match": f'"other", {tag}'})
    other = anybody.http.get(path, headers={"if-none-match": '"other"'})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


def test_a_file_is_packed_for_who_can_unpack_it(anybody: Client) -> None:
    """It is the same text with gzip and without."""
    plain = anybody.http.get("/page/style.css", headers={"accept-encoding": "identity"})
    packed = anybody.http.get("/page/style.css", headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert (packed.headers["content-encoding"], packed.text) == ("gzip", plain.text)


@pytest.mark.parametrize("path", ["/page/app.py", "/page/..%2fapp.py", "/docs/favicon.png"])
def test_nothing_else_is_sent(anybody: Client, path: str) -> None:
    """A name that is not a file of the page is not found."""
    assert anybody.http.get(path).status_code == 404


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_keeps_to_the_policy(file: Any) -> None:  # noqa: ANN401 - a path
    """No file names another host, none has script or style inside of markup, none makes markup."""
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")

    assert not re.search(r"https?://|[\"'(]//", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    assert not re.search(r"<style|<script(?![^>]*src=)|\sstyle=|<[^>]*\son\w+=", text)


def test_the_page_is_there_without_the_database() -> None:
    """Whatever the database does the page is sent; what it asks for is refused meanwhile."""
    app = create_app(settings("postgresql://127.0.0.1:1/x?connect_timeout=1"))
    with speaking(app) as client:
        shown = client.http.get("/").status_code, client.http.get("/docs").status_code
        asked = client("GET", "/v1/schema")

    assert (shown, asked["_"]) == ((200, 200), 503)


def test_the_page_counts_for_nobodys_allowance(chat_database: Database) -> None:
    """However often its files are asked for, there is allowance left for a request."""
    with chat(chat_database.conninfo, rate_per_minute=0.01, rate_burst=2) as client:
        loads = [client.http.get(path).status_code for path in sorted(page.PATHS)]
        counted = [client("GET", "/v1/account")["_"] for _ in range(3)]

    assert set(loads) == {200}
    assert counted == [401, 401, 429]


# --- where the schema stands -----------------------------------------------------------------


def test_the_schema_and_its_history(ada: Client) -> None:
    """Who is logged in sees the version and each attempt, newest first, and nothing of hosts."""
    schema = ada("GET", "/v1/schema")
    newest, *_, first = schema["attempts"]

    assert (schema["dirty"], schema["state"]) == (False, "current")
    assert (newest["version"], first["version"]) == (schema["version"], 1)
    assert set(first) == {"version", "title", "direction", "outcome", "started", "finished"}
    assert (first["title"], first["outcome"]) == ("initial_schema", "done")


@pytest.mark.parametrize(
    ("done", "state"),
    [(UP_TO_DATE, "current"), (DIRTY, "dirty"), (AHEAD, "ahead"), (BEHIND, "behind")],
)
def test_the_schemas_state(database: Database, done: str, state: str) -> None:
    """A word says where a database stands."""
    run_migrations(settings(database.conninfo))
    database.psql(done)

    assert SchemaReader(settings(database.conninfo)).look().state == state


def test_a_database_that_is_empty(database: Database) -> None:
    """Before the first migration version and attempts are empty, and reading writes nothing."""
    empty = SchemaReader(settings(database.conninfo)).look()

    assert (empty.version, empty.state, empty.attempts) == (None, "behind", ())
    assert database.psql("SELECT to_regclass('schema_migrations') IS NULL") == [(True,)]


def test_who_only_reads_sees_it_all(database: Database) -> None:
    """A role that may read the two tables and do nothing else sees what their owner sees."""
    run_migrations(settings(database.conninfo))
    database.psql(
        "CREATE ROLE looker LOGIN; GRANT pg_read_all_data TO looker;"
        "ALTER ROLE looker SET default_transaction_read_only = on"
    )
    reader = database.conninfo.replace("user=postgres", "user=looker")
    try:
        seen = SchemaReader(settings(reader)).look()
    finally:
        database.psql("DROP ROLE looker")

    assert seen == SchemaReader(settings(database.conninfo)).look()


def test_a_schema_that_cannot_be_read(database: Database) -> None:
    """Where the ledger makes no sense the answer is a problem, and it says no more than that."""
    with chat(database.conninfo) as client:
        ada = client.logged_in("ada")
        database.psql("INSERT INTO schema_migrations VALUES (1, false)")
        refused = ada("GET", "/v1/schema")

    assert (refused["_"], refused["type"]) == (503, "urn:chatapp:problem:schema-unreadable")
    assert refused["detail"] == "The schema's state cannot be read at the moment."
