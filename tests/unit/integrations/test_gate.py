"""The gate, the probe and the lifespan, without a database."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from rung.integrations import schema_manager
from rung.integrations.asgi import Lifespan, ReadyProbe
from rung.integrations.fastapi import Migrations, ReadinessMiddleware, readiness_response

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from rung.cancellation import CancelToken


def migrations(**settings: Any) -> Migrations:  # noqa: ANN401 - as many kinds as settings
    """What keeps a database that is not there."""
    return Migrations("sqlite://:memory:", "nowhere", **settings)


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer in one word, as an application would."""
    del scope, receive
    await send({"type": "answered"})


def sent(gate: ReadinessMiddleware | ReadyProbe | Lifespan, **scope: Any) -> list[Message]:  # noqa: ANN401 - ASGI
    """What a gate sends for a scope."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    asyncio.run(gate({"root_path": "", **scope}, receive, send))
    return messages


def test_a_request_is_refused_until_ready() -> None:
    """What is no probe is answered with a problem that says the state and no more."""
    start, body = sent(ReadinessMiddleware(behind, migrations()), type="http", path="/things")

    assert (start["status"], json.loads(body["body"])["state"]) == (503, "starting")
    assert (b"retry-after", b"1") in start["headers"]


@pytest.mark.parametrize(
    "scope",
    [
        {"type": "http", "path": "/health"},
        {"type": "http", "path": "/api/ready", "root_path": "/api"},
        {"type": "lifespan"},
    ],
)
def test_probes_and_the_lifespan_are_let_through(scope: dict[str, Any]) -> None:
    """Below its root too, a probe is answered by the application."""
    assert sent(ReadinessMiddleware(behind, migrations()), **scope) == [{"type": "answered"}]


def test_a_websocket_is_closed() -> None:
    """A websocket is told to try again later."""
    closed = sent(ReadinessMiddleware(behind, migrations()), type="websocket", path="/talk")

    assert closed == [{"type": "websocket.close", "code": 1013}]


def probed(kept: Migrations, **scope: Any) -> list[Message]:  # noqa: ANN401 - ASGI
    """What a readiness probe is sent."""
    return sent(ReadyProbe(kept), type="http", path="/ready", **scope)


@pytest.mark.parametrize(("method", "length"), [("GET", True), ("HEAD", False)])
def test_a_probe_of_a_bare_application(method: str, *, length: bool) -> None:
    """It is the answer of FastAPI's route; a HEAD is told its length and gets no body."""
    kept = migrations()
    start, body = probed(kept, method=method)
    route = readiness_response(kept.readiness)
    headers = dict(start["headers"])

    assert (start["status"], headers[b"content-type"]) == (503, b"application/problem+json")
    assert json.loads(bytes(route.body))["state"] == "starting"
    assert int(headers[b"content-length"]) > 0
    assert bool(body["body"]) == length


@pytest.mark.parametrize(
    ("policy", "answers"),
    [
        ("ignore", ["lifespan.startup.complete", "lifespan.shutdown.complete"]),
        ("require", ["lifespan.startup.failed"]),
    ],
)
def test_a_lifespan_for_an_application_without_one(policy: str, answers: list[str]) -> None:
    """The server's start is answered at once, or refused, and its end; requests pass."""
    service = Lifespan(behind, migrations(policy=policy))
    told = iter(["lifespan.startup", "lifespan.shutdown"])
    messages: list[str] = []

    async def receive() -> Message:
        return {"type": next(told)}

    async def send(message: Message) -> None:
        messages.append(str(message["type"]))

    asyncio.run(service({"type": "lifespan"}, receive, send))
    assert messages == answers
    assert sent(service, type="http", path="/") == [{"type": "answered"}]


def test_no_framework_is_needed() -> None:
    """The module for ASGI works where neither FastAPI nor Starlette is installed."""
    code = (
        "import sys; sys.modules |= dict.fromkeys(['fastapi', 'starlette', 'pydantic']);"
        "from rung.integrations.asgi import Migrations;"
        "print(Migrations('sqlite://:memory:', 'nowhere').readiness.state)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout == "starting\n"


async def state_of(kept: Migrations) -> tuple[str, int, dict[str, Any]]:
    """The state that a probe is answered with, once there is one."""
    async with kept.lifespan(None):
        while kept.readiness.state == "starting":  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
        answer = await kept.ready()
        return kept.readiness.state, answer.status_code, json.loads(bytes(answer.body))


def test_a_source_that_is_not_there() -> None:
    """Files that cannot be read keep a service from being ready."""
    state, status, told = asyncio.run(state_of(migrations()))

    assert (state, status, told["state"], told["status"]) == ("files", 503, "files", 503)
    assert "nowhere" in told["detail"]


def test_ready_at_once_where_nothing_is_looked_at() -> None:
    """A probe of a service that ignores its schema is answered with 200."""
    _, status, told = asyncio.run(state_of(migrations(policy="ignore")))

    assert (status, told["state"]) == (200, "unchecked")


def test_an_unexpected_error_does_not_end_the_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that is not ours is logged, and looked past the next time."""

    def broken(*given: object, **named: object) -> None:
        del given, named
        raise KeyError("not ours")

    monkeypatch.setattr(schema_manager, "run_migrations", broken)
    state, _, told = asyncio.run(state_of(migrations()))

    assert (state, told["detail"]) == ("failed", "unexpected error; see the log")
    assert any("KeyError: 'not ours'" in str(record.exc_text) for record in caplog.records)


def test_a_run_that_cannot_be_ended_is_let_go(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that answers to nothing does not keep the service from ending; it is cancelled."""
    stops: list[CancelToken] = []
    thawed = threading.Event()

    def frozen(*given: object, stop: CancelToken, **named: object) -> None:
        del given, named
        stops.append(stop)
        thawed.wait()

    monkeypatch.setattr(schema_manager, "run_migrations", frozen)
    monkeypatch.setattr(schema_manager, "_CANCEL_TIMEOUT", 0.05)
    asyncio.run(begun_and_ended(migrations(grace=0.05), stops))
    thawed.set()

    assert [stop.cancelling for stop in stops] == [True]
    assert "did not answer" in caplog.text


async def begun_and_ended(kept: Migrations, stops: list[CancelToken]) -> None:
    """Start a service, and end it as soon as its run is under way."""
    async with kept.lifespan(None):
        while not stops:  # noqa: ASYNC110 - it is set by a thread
            await asyncio.sleep(0.01)
