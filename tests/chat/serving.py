"""The chat service on a real server, and a client that speaks to it as people's programs would."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import uvicorn

from chatapp.app import create_app
from chatapp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from fastapi import FastAPI

SECRET = "not a secret at all, but long enough"
PASSWORD = "correct horse battery"


def settings(conninfo: str, **others: Any) -> Settings:  # noqa: ANN401 - as many kinds as settings
    """Settings for tests: no limit is in the way unless it is set."""
    usual = {"rate_per_minute": 1e6, "rate_burst": 10**6, "check_interval_s": 0.3}
    usual["pool_timeout_s"] = 60.0
    credentials = {"credentials_per_minute": 1e6, "credentials_burst": 10**6}
    credentials |= {"log_ins_per_minute": 1e6, "log_ins_burst": 10**6}
    cheap = {"password_time_cost": 1, "password_memory_kib": 64}
    given = {"database_url": conninfo, "token_secret": SECRET}
    values = given | usual | credentials | cheap | others
    return Settings.model_validate(values)


@contextmanager
def serving(app: Any) -> Iterator[str]:  # noqa: ANN401 - any ASGI application
    """Serve an application on a port of its own, in a thread; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def until(true: Any, seconds: float = 120.0) -> None:  # noqa: ANN401 - anything that can be called
    """Wait until something is true; fail where it never is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


class Client:
    """Somebody's program: it speaks HTTP, sends its token, and reads JSON."""

    def __init__(self, http: httpx2.Client, token: str | None = None) -> None:
        self.http = http
        self.headers = {"authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, **sent: Any) -> Any:  # noqa: ANN401 - JSON
        """Ask, and give what came back as JSON with its status under `_`."""
        query = sent if method in {"GET", "DELETE"} else None
        body = None if query is sent else sent
        answer = self.http.request(method, path, params=query, json=body, headers=self.headers)
        said = answer.json() if answer.content else {}
        return said if isinstance(said, list) else {**said, "_": answer.status_code}

    def with_token(self, token: str) -> Client:
        """Send requests as the user of a token."""
        return Client(self.http, token)

    def logged_in(self, name: str) -> Client:
        """Register somebody, and speak as them."""
        email = f"{name}@example.org"
        made = self("POST", "/v1/accounts", username=name, email=email, password=PASSWORD)
        assert made["_"] == 201, made
        given = self("POST", "/v1/tokens", name=name, password=PASSWORD)
        return self.with_token(given["access_token"])

    def conversation(self, **facts: Any) -> str:  # noqa: ANN401 - JSON
        """Begin a conversation; its path."""
        return f"/v1/conversations/{self('POST', '/v1/conversations', **facts)['id']}"

    def events(self, path: str, **body: Any) -> Generator[tuple[str, Any], None, None]:  # noqa: ANN401 - JSON
        """Ask for a stream; each event's name and data as it comes."""
        with self.http.stream("POST", path, json=body, headers=self.headers) as answer:
            assert answer.status_code == 200
            name = ""
            for line in answer.iter_lines():
                kind, _, text = line.partition(": ")
                if kind == "event":
                    name = text
                elif kind == "data":
                    yield name, json.loads(text)


@contextmanager
def chat(conninfo: str, **others: Any) -> Iterator[Client]:  # noqa: ANN401 - settings
    """The service on a database, ready; a client that is not logged in."""
    with speaking(create_app(settings(conninfo, **others))) as client:
        until(lambda: client("GET", "/ready")["_"] == 200)
        yield client


@contextmanager
def speaking(app: Any) -> Iterator[Client]:  # noqa: ANN401 - any ASGI application
    """Serve an application; a client of it that is not logged in."""
    with serving(app) as address, httpx2.Client(base_url=address, timeout=120) as http:
        yield Client(http)


def app_of(conninfo: str, **others: Any) -> FastAPI:  # noqa: ANN401 - settings
    """The application on a database, not served."""
    return create_app(settings(conninfo, **others))
