"""What holds for every request: problems, limits, CORS, logs, the database going away."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from tests.chat.serving import PASSWORD, SECRET, app_of, chat, speaking, until
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from chatapp.logs import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chat.serving import Client
    from tests.servers import Database

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/v1/conversations/not-an-id", 422, "invalid-request"),
        ("DELETE", "/v1/tokens", 405, "method-not-allowed"),
        ("GET", "/v1/usage?since=yesterday", 422, "invalid-request"),
        ("GET", "/v1/usage?since=2026-01-02&until=2026-01-01", 422, "bad-range"),
        ("GET", "/v1/conversations?limit=0", 422, "invalid-request"),
    ],
)
def test_errors_are_problems(ada: Client, method: str, path: str, status: int, name: str) -> None:
    """Whatever goes wrong is told as RFC 9457 has it."""
    answer = ada.http.request(method, path, headers=ada.headers)
    told = answer.json()

    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert (told["status"], told["type"]) == (status, f"urn:chatapp:problem:{name}")
    assert told["title"]
    assert told["detail"]


def test_a_method_that_is_not_there_says_which_are(anybody: Client) -> None:
    """A 405 names the methods of the path."""
    assert anybody.http.delete("/v1/tokens").headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"username": "x", "email": "x@example.org", "password": PASSWORD}, "body/username"),
        ({"username": "xyz", "email": "x", "password": PASSWORD}, "body/email"),
        ({"username": "xyz", "email": "x@example.org", "password": "secret"}, "body/password"),
        ({"username": "xyz", "email": "x@y.z", "password": PASSWORD, "admin": True}, "body/admin"),
    ],
)
def test_what_does_not_fit_is_pointed_at(anybody: Client, body: dict[str, str], at: str) -> None:
    """A request that does not fit is told where, and what it sent is not repeated."""
    refused = anybody("POST", "/v1/accounts", **body)

    assert (refused["_"], [fault["at"] for fault in refused["errors"]]) == (422, [at])
    assert "secret" not in json.dumps(refused)


def test_the_first_faults_are_enough(anybody: Client) -> None:
    """A request of nothing but faults is not answered with a list of them all."""
    refused = anybody("POST", "/v1/tokens", **{str(number): 0 for number in range(100)})

    assert (refused["_"], len(refused["errors"])) == (422, 20)


@pytest.mark.parametrize("text", ["a\0b", "", "x" * 32_001])
def test_text_that_cannot_be_kept(ada: Client, text: str) -> None:
    """NUL, which PostgreSQL's text cannot hold, nothing, and too much are refused."""
    assert ada("POST", f"{ada.conversation()}/messages", content=text)["_"] == 422


@pytest.mark.parametrize("body", [b"{", b'{"content": "\xff"}', b'{"content": "\\ud800"}', b"[]"])
def test_bodies_that_are_no_json(ada: Client, body: bytes) -> None:
    """A body that cannot be read is the client's fault, and a problem like any other."""
    path = f"{ada.conversation()}/messages"
    headers = ada.headers | {"content-type": "application/json"}
    answer = ada.http.post(path, content=body, headers=headers)

    assert (answer.status_code in {400, 422}, answer.headers["content-type"]) == (True, PROBLEM)


def test_text_is_kept_as_it_was(ada: Client) -> None:
    """Every character but NUL is kept: other planes, line ends, spaces at the ends."""
    text = " \r\n\U0001d518\u200f\u202e\u05e2\x01\x7f\ufeff "
    path = ada.conversation()
    ada("POST", f"{path}/messages", content=text)

    assert ada("GET", f"{path}/messages")["items"][0]["content"] == text


def test_methods_that_nobody_knows_are_counted_together(ada: Client) -> None:
    """Whoever makes up methods makes no new figures by it."""
    ada.http.request("BREW", "/v1/account")
    figures = ada.http.get("/metrics").text

    assert 'method="(any)",route="/v1/account",status="405"' in figures
    assert "BREW" not in figures


def chunks() -> Iterator[bytes]:
    """A body whose length is not told, longer than is taken."""
    yield from [b" " * 1000] * 4


def test_a_body_that_is_too_large(chat_database: Database) -> None:
    """Too large a body is refused, whether it says its size or not."""
    with chat(chat_database.conninfo, max_body_bytes=2000) as client:
        told = client.http.post("/v1/tokens", content=b" " * 2001)
        untold = client.http.post("/v1/tokens", content=chunks())

    assert [told.status_code, untold.status_code] == [413, 413]
    assert [one.headers["content-type"] for one in (told, untold)] == [PROBLEM, PROBLEM]


def test_who_asks_too_often(chat_database: Database) -> None:
    """Each user has a bucket, each address one of its own, and probes have none."""
    with chat(chat_database.conninfo, rate_per_minute=0.1, rate_burst=2) as client:
        eve, fay = client.logged_in("eve"), client.logged_in("fay")
        statuses = [eve("GET", "/v1/account")["_"] for _ in range(3)]
        refused = eve.http.get("/v1/account", headers=eve.headers)
        others = [fay("GET", "/v1/account")["_"], client("GET", "/v1/account")["_"]]
        probes = {client("GET", "/health")["_"] for _ in range(5)}

    assert (statuses, others, probes) == ([200, 200, 429], [200, 401], {200})
    assert 0 < int(refused.headers["retry-after"]) <= 601


def test_who_guesses_at_many_accounts(chat_database: Database) -> None:
    """Logging in is limited for a network, whatever the account."""
    limits = {"credentials_per_minute": 0.1, "credentials_burst": 3}
    with chat(chat_database.conninfo, **limits) as client:
        asked = [{"name": f"somebody-{n}", "password": "guess"} for n in range(4)]
        statuses = [client("POST", "/v1/tokens", **one)["_"] for one in asked]

    assert statuses == [401, 401, 401, 429]


def logs_in(client: Client, name: str, password: str, address: str) -> int:
    """Try to log in from an address; the status."""
    headers = {"x-forwarded-for": address}
    sent = {"name": name, "password": password}
    return client.http.post("/v1/tokens", json=sent, headers=headers).status_code


def test_who_guesses_at_one_account(chat_database: Database) -> None:
    """Whoever guesses at an account shuts out their own network, and its owner nowhere else."""
    limits = {"log_ins_per_minute": 0.1, "log_ins_burst": 3}
    app: Any = app_of(chat_database.conninfo, **limits)
    app = ProxyHeadersMiddleware(app, "*")
    with speaking(app) as client:
        until(lambda: client("GET", "/ready")["_"] == 200)
        client.logged_in("annie")
        guesses = [logs_in(client, "annie", "guess", f"2001:db8::{n}") for n in range(4)]
        owner = [logs_in(client, "annie", PASSWORD, where) for where in ("2001:db8:0:1::1", "::1")]
        inside = logs_in(client, "annie", PASSWORD, "2001:db8::9")

    assert (guesses, owner, inside) == ([401, 401, 401, 429], [200, 200], 429)


def test_a_neighbour_behind_one_address(chat_database: Database) -> None:
    """Who has logged in from a network does so again, whatever others there have used up."""
    limits = {"credentials_per_minute": 0.1, "credentials_burst": 4}
    with chat(chat_database.conninfo, **limits) as client:
        client.logged_in("katherine")
        sent = {"username": "dorothy", "email": "dorothy@example.org", "password": PASSWORD}
        client("POST", "/v1/accounts", **sent)
        listening = [
            {"name": name, "password": PASSWORD} for name in ("mole", "dorothy", "katherine")
        ]
        statuses = [client("POST", "/v1/tokens", **one)["_"] for one in listening]

    assert statuses == [401, 429, 200]


def test_an_ended_token_takes_nothing_from_its_owner(chat_database: Database) -> None:
    """Whoever has a token of before the change of the password does not empty the new one's."""
    with chat(chat_database.conninfo, rate_per_minute=0.1, rate_burst=2) as client:
        thief = client.logged_in("barbara")
        sent = {"current": PASSWORD, "new": "staple correct horse"}
        changed = thief("PUT", "/v1/account/password", **sent)
        statuses = [thief("GET", "/v1/account")["_"] for _ in range(2)]
        owner = thief.with_token(changed["access_token"])("GET", "/v1/account")

    assert (statuses, owner["_"]) == ([401, 429], 200)


OURS, THEIRS = "https://chat.example.org", "https://evil.example.org"


def test_other_origins(chat_database: Database) -> None:
    """Only the origins of the settings may be used from a browser."""
    asked = {"access-control-request-method": "POST"}
    with chat(chat_database.conninfo, cors_origins=[OURS]) as client:
        ours, theirs = (
            client.http.options("/v1/conversations", headers={"origin": origin, **asked})
            for origin in (OURS, THEIRS)
        )

    assert ours.headers["access-control-allow-origin"] == OURS
    assert "access-control-allow-origin" not in theirs.headers


def test_errors_can_be_read_by_a_page(database: Database) -> None:
    """Whatever answers in a route's place does so with CORS's headers and an id."""
    limits = {"rate_per_minute": 0.1, "rate_burst": 3, "max_body_bytes": 300}
    with chat(database.conninfo, cors_origins=[OURS], **limits) as client:
        ada = client.logged_in("ada")
        database.psql("ALTER TABLE conversations RENAME COLUMN title TO titel")
        headers = ada.headers | {"origin": OURS}
        answers = [
            client.http.get("/v1/conversations", headers=headers),
            client.http.post("/v1/conversations", content=b" " * 301, headers=headers),
            client.http.get("/v1/nowhere", headers=headers),
            client.http.get("/v1/account", headers=headers),
        ]

    assert [one.status_code for one in answers] == [500, 413, 404, 429]
    assert {one.headers["access-control-allow-origin"] for one in answers} == {OURS}
    assert all("x-request-id" in one.headers for one in answers)
    assert {one.headers["content-type"] for one in answers} == {PROBLEM}


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("b3-7f.42/x", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("a b", False),
        ('", "level": "error', False),
        ("\xe9", False),
        ("", False),
    ],
)
def test_the_id_of_a_request(anybody: Client, given: str, taken: bool) -> None:  # noqa: FBT001 - a case
    """A caller's id comes back where it is short and printable; else there is one of ours."""
    headers = [(b"x-request-id", given.encode("latin-1"))]
    told = anybody.http.get("/health", headers=headers).headers["x-request-id"]

    assert told == given if taken else str(UUID(told)) == told


def test_every_line_of_a_request_has_its_id(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """What is logged while a request is answered bears its id."""
    caplog.set_level(logging.INFO, "chatapp")
    lines: list[dict[str, Any]] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(json.loads(JsonFormatter().format(record)))  # type: ignore[method-assign]
    with chat(database.conninfo) as client:
        ada = client.logged_in("ada")
        database.psql("DROP TABLE conversation_summaries CASCADE")
        logging.getLogger("chatapp").addHandler(handler)
        ada.http.get(f"{ada.conversation()}/summaries", headers=ada.headers | {"x-request-id": "7"})
        logging.getLogger("chatapp").removeHandler(handler)
    mine = [line["logger"] for line in lines if line.get("request") == "7"]

    assert mine == ["chatapp", "chatapp.requests"]


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_probes_by_head(anybody: Client, path: str) -> None:
    """A probe may ask for the head alone."""
    answer = anybody.http.head(path)

    assert (answer.status_code, answer.content) == (200, b"")


def test_figures_that_are_off(chat_database: Database) -> None:
    """Where they are not wanted, there are none."""
    with chat(chat_database.conninfo, metrics="off") as client:
        assert client("GET", "/metrics")["_"] == 404


def test_gauges(ada: Client) -> None:
    """The figures say what the pool has, at which version the schema is, and what was waited."""
    ada("POST", f"{ada.conversation()}/messages", content="Hello")
    figures = ada.http.get("/metrics").text

    assert re.search(r'^chatapp_pool_connections\{state="open"\} [1-9]', figures, re.MULTILINE)
    assert re.search(r"^chatapp_schema_version [1-9]", figures, re.MULTILINE)
    assert re.search(r"^chatapp_ready 1", figures, re.MULTILINE)
    assert re.search(r"^chatapp_first_token_seconds_count\{.*local", figures, re.MULTILINE)
    assert 'chatapp_log_ins_total{outcome="succeeded"}' in figures


def test_a_request_is_told_of_without_its_secrets(
    anybody: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """A line for each request has its route, status, time and id, and no value of it."""
    caplog.set_level(logging.INFO)
    ada = anybody.logged_in("ada-logged")
    caplog.clear()
    answer = ada.http.get("/v1/usage?since=2026-01-01", headers=ada.headers)
    records = [record for record in caplog.records if record.name.startswith(("chatapp", "rung"))]
    lines = [json.loads(JsonFormatter().format(record)) for record in records]
    [line] = [line for line in lines if line["logger"] == "chatapp.requests"]
    everything = json.dumps(lines)

    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/usage", 200)
    assert line["request"] == answer.headers["x-request-id"]
    assert not [s for s in (ada.headers["authorization"], SECRET, "2026-01-01") if s in everything]


def administer(database: Database, text: str) -> None:
    """Run SQL from outside of a database."""
    with psycopg.connect(database.server.conninfo(), autocommit=True) as connection:
        connection.execute(text.encode())


def cut_off(database: Database) -> None:
    """End every session of a database, and wait until they are gone."""
    name = f"'{database.name}'"
    administer(
        database,
        f"SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = {name}",
    )


def test_the_database_goes_and_comes_back(database: Database) -> None:
    """Without its database the service answers 503, and goes on when that is back."""
    with chat(database.conninfo, pool_timeout_s=0.5) as client:
        ada = client.logged_in("ada")
        administer(database, f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false")
        cut_off(database)
        away = [ada("GET", "/v1/account"), client("GET", "/ready"), client("GET", "/health")]
        administer(database, f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true")
        until(lambda: ada("GET", "/v1/account")["_"] == 200)

    assert [one["_"] for one in away] == [503, 503, 200]
    assert (away[0]["type"], away[1]["state"]) == (
        "urn:chatapp:problem:database-unavailable",
        "down",
    )


@pytest.mark.parametrize("path", ["/v1/account", "/ready"])
def test_a_database_that_falls_silent(database: Database, path: str) -> None:
    """A server that stops in the middle is told of, and given up: others are connected to."""
    limits = {"pool_size": 1, "pool_timeout_s": 2, "statement_timeout_ms": 500}
    with chat(database.conninfo, **limits) as client:
        ada = client.logged_in("ada")
        with standing_still(database):
            away = ada("GET", path)
            until(lambda: ada("GET", path)["_"] == 200)

    assert away["_"] == 503
    assert away.get("state", away["type"]) in {"down", "urn:chatapp:problem:database-unavailable"}


@contextmanager
def standing_still(database: Database) -> Iterator[None]:
    """Stop the server's processes for the sessions that a database has now."""
    where = "datname = current_database() AND pid <> pg_backend_pid()"
    pids = [pid for (pid,) in database.psql(f"SELECT pid FROM pg_stat_activity WHERE {where}")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_read_only_database(database: Database) -> None:
    """Where nothing can be written, reading goes on, writing is 503, and probes say so."""
    with chat(database.conninfo) as client:
        ada = client.logged_in("ada")
        database.psql(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
        cut_off(database)
        read, written = ada("GET", "/v1/account"), ada("POST", "/v1/conversations")
        ready = client("GET", "/ready")

    assert (read["_"], written["_"], ready["_"]) == (200, 503, 503)
    assert (written["type"], ready["state"]) == ("urn:chatapp:problem:read-only", "read-only")
