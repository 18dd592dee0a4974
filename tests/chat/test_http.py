"""What holds for every request: problems, limits, CORS, logs, the database going away."""

from __future__ import annotations

import json
import logging
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.chat.serving import PASSWORD, SECRET, chat, until

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


def test_who_guesses_passwords(chat_database: Database) -> None:
    """Logging in is limited for an address, whatever the account."""
    limits = {"credentials_per_minute": 0.1, "credentials_burst": 3}
    with chat(chat_database.conninfo, **limits) as client:
        asked = [{"name": f"somebody-{n}", "password": "guess"} for n in range(4)]
        statuses = [client("POST", "/v1/tokens", **one)["_"] for one in asked]

    assert statuses == [401, 401, 401, 429]


def test_other_origins(chat_database: Database) -> None:
    """Only the origins of the settings may be used from a browser."""
    asked = {"access-control-request-method": "POST"}
    with chat(chat_database.conninfo, cors_origins=["https://chat.example.org"]) as client:
        ours, theirs = (
            client.http.options("/v1/conversations", headers={"origin": origin, **asked})
            for origin in ("https://chat.example.org", "https://evil.example.org")
        )

    assert ours.headers["access-control-allow-origin"] == "https://chat.example.org"
    assert "access-control-allow-origin" not in theirs.headers


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
    """End every session of a database."""
    name = f"'{database.name}'"
    administer(
        database,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {name}",
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
