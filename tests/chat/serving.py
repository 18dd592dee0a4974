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
    from collections.abc import Iterator

    from fastapi import FastAPI

SECRET = "not a secret at all, but long enough"
PASSWORD = "correct horse battery"


def settings(conninfo: str, **others: Any) -> Settings:  # noqa: ANN401 - as many kinds as settings
    """Settings for tests: no limit is in the way unless it is set."""
    usual = {"rate_per_minute": 1e6, "rate_burst": 10**6, "look_again_s": 0.3}
    credentials = {"credentials_per_minute": 1e6, "credentials_burst": 10**6}
    values = {"database_url": conninfo, "token_secret": SECRET, **usual, **credentials, **others}
    return Settings.model_validate(values)


@contextmanager
def serving(app: Any) -> Iterator[str]:  # noqa: ANN401 - any ASGI application
    """Serve an application on a port of its own, in a thread; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()


def until(true: Any, seconds: float = 30.0) -> None:  # noqa: ANN401 - anything that can be called
    """Wait until something is true; fail where it never is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


class Client:
    """Somebody's program: it speaks HTTP, sends its token, and reads JSON."""

    def __init__(self, address: str, token: str | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.http = httpx2.Client(base_url=address, headers=headers, timeout=30)
        self.address = address

    def __call__(self, method: str, path: str, **json_body: Any) -> Any:  # noqa: ANN401 - JSON
        """Ask, and give what came back as JSON with its status under `_`."""
        sent = {"json": json_body} if method not in {"GET", "DELETE"} else {"params": json_body}
        answer = self.http.request(method, path, **sent)
        said = answer.json() if answer.content else {}
        return said if isinstance(said, list) else {**said, "_": answer.status_code}

    def logged_in(self, name: str) -> Client:
        """Register somebody, and a client that is logged in as them."""
        email = f"{name}@example.org"
        made = self("POST", "/v1/accounts", username=name, email=email, password=PASSWORD)
        assert made["_"] == 201, made
        token = self("POST", "/v1/tokens", name=name, password=PASSWORD)["access_token"]
        return Client(self.address, token)

    def conversation(self, **facts: Any) -> str:  # noqa: ANN401 - JSON
        """Begin a conversation; its path."""
        return f"/v1/conversations/{self('POST', '/v1/conversations', **facts)['id']}"

    def events(self, path: str, **body: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - JSON
        """Ask for a stream; each event's name and data as it comes."""
        with self.http.stream("POST", path, json=body) as answer:
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
    with serving(create_app(settings(conninfo, **others))) as address:
        client = Client(address)
        until(lambda: client("GET", "/ready")["_"] == 200)
        yield client
        client.http.close()


def app_of(conninfo: str, **others: Any) -> FastAPI:  # noqa: ANN401 - settings
    """The application on a database, not served."""
    return create_app(settings(conninfo, **others))
