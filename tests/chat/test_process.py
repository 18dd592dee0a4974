"""The service as a process of its own: workers, its log, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx2
import pytest
import uvicorn
from tests.chat.serving import PASSWORD, SECRET, Client, free_port, until
from tests.integration.chat import NEWEST

from chatapp.__main__ import bind, main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Database


@contextmanager
def started(log: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], Client]]:
    """Run `python -m chatapp`; the process, and a client of it once it listens."""
    port = free_port()
    environment = {f"CHAT_{name.upper()}": value for name, value in settings.items()}
    environment |= {"CHAT_PORT": str(port), "CHAT_TOKEN_SECRET": SECRET}
    shared = {"PROMETHEUS_MULTIPROC_DIR": str(log.parent)}
    with (
        log.open("wb") as stderr,
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http,
        subprocess.Popen(
            [sys.executable, "-m", "chatapp"],
            env=os.environ | environment | shared,
            stderr=stderr,
        ) as process,
    ):
        try:
            until(lambda: process.poll() is not None or answers(http), 240)
            yield process, Client(http)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)


def answers(http: httpx2.Client) -> bool:
    """Whether a service is ready."""
    try:
        return http.get("/ready").status_code == 200
    except httpx2.TransportError:
        return False


def test_an_accepted_connection_has_tcp_nodelay() -> None:
    """The body of an answer is sent at once, not after the client's delayed ACK of the head."""
    config = uvicorn.Config("chatapp.app:create_app", host="127.0.0.1", port=0)
    with bind(config) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_two_workers(database: Database, tmp_path: Path) -> None:
    """Workers start together, migrate once, write JSON, count together, and end when told to."""
    log = tmp_path / "log"
    with started(log, database_url=database.url, workers="2") as (process, client):
        ada = client.logged_in("ada")
        statuses = {ada("GET", "/v1/account")["_"] for _ in range(10)}
        ada("GET", "/v1/usage", since="2001-02-03")
        until(lambda: "chatapp_schema_version " in client.http.get("/metrics").text)
        figures = client.http.get("/metrics").text
        process.send_signal(signal.SIGTERM)
        ended = process.wait(60)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    messages = [line["message"] for line in lines]
    runs = database.psql("SELECT version, count(*) FROM schema_migrations_history GROUP BY 1")

    assert (statuses, ended) == ({200}, 0)
    assert sorted(runs) == [(version, 1) for version in range(1, NEWEST + 1)]
    assert sum(message.startswith("Ready (current): ") for message in messages) == 2
    assert any(line["logger"] == "rung" and "rung" in line for line in lines)
    assert 'route="/v1/account",status="200"' in figures
    assert sum(line.get("route") == "/v1/usage" for line in lines) == 1
    assert not [s for s in (SECRET, PASSWORD, "2001-02-03") if s in log.read_text()]


def test_figures_on_a_port_of_their_own(database: Database, tmp_path: Path) -> None:
    """There are the figures and nothing else, and the service's own port has none."""
    port = free_port()
    with (
        started(tmp_path / "log", database_url=database.url, metrics=str(port)) as (_, client),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as own,
    ):
        theirs = [own.get(path).status_code for path in ("/metrics", "/health", "/v1/account")]
        ours = [client("GET", path)["_"] for path in ("/metrics", "/health", "/v1/account")]

    assert (theirs, ours) == ([200, 404, 404], [404, 200, 401])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"DATABASE_URL": ""}, ["DATABASE_URL is not set"]),
        ({"DATABASE_URL": "sqlite:///s3cretive"}, ["DATABASE_URL: libpq cannot read it; write "]),
        ({"DATABASE_URL": "postgres://u:s3cretive@h/d?x=y"}, ["DATABASE_URL: libpq cannot "]),
        ({"DATABASE_URL": "postgres://u:s3cretive@h:port/d"}, ["DATABASE_URL: the port in the "]),
        (
            {"TOKEN_SECRET": "s3cretive", "POOL_SIZE": "0", "MIGRATIONS": "s3cretive"},
            ["TOKEN_SECRET: shorter than 32 ", "MIGRATIONS: input should be ", "POOL_SIZE: input "],
        ),
        ({"CORS_ORIGINS": "https://s3cretive.example"}, ["CORS_ORIGINS: not valid JSON"]),
        ({"OPENAI_MODELS": '{"m": {"prompt": 1}}'}, ["OPENAI_MODELS (m.completion): field requi"]),
        ({"PROVIDER": "openai"}, ['PROVIDER is "openai", and CHAT_OPENAI_MODELS names no model']),
    ],
)
def test_settings_that_cannot_be_used(
    wrong: dict[str, str],
    said: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The service ends at once, with a line for each variable and no value of it."""
    usable = {"DATABASE_URL": "postgresql://h/d", "TOKEN_SECRET": SECRET}
    for name in [name for name in os.environ if name.startswith("CHAT_")]:
        monkeypatch.delenv(name)
    for name, value in (usable | wrong).items():
        monkeypatch.setenv(f"CHAT_{name}", value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main()
    errors = capsys.readouterr().err
    lines = errors.splitlines()

    assert (ended.value.code, len(lines)) == (2, len(said)), errors
    for line, start in zip(lines, said, strict=True):
        assert line.startswith(f"error: CHAT_{start}")
    assert "s3cretive" not in errors


def test_a_process_whose_settings_cannot_be_used(tmp_path: Path) -> None:
    """It prints a line for each of two, and no traceback."""
    given = {"CHAT_DATABASE_URL": "sqlite:///s3cretive", "CHAT_TOKEN_SECRET": "s3cretive"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CHAT_")}
    command = [sys.executable, "-m", "chatapp"]
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, env=kept | given, cwd=tmp_path
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert [line[:12] for line in ended.stderr.splitlines()] == 2 * ["error: CHAT_"]
    assert "s3cretive" not in ended.stderr
