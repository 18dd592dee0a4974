"""
An ASGI service whose schema Rung keeps: Starlette, Litestar, Django, or none of them.

    from rung.integrations.asgi import Migrations, ReadinessMiddleware, ReadyProbe

    migrations = Migrations(database, "package:chatapp.migrations")
    app = Starlette(
        routes=[Route("/ready", ReadyProbe(migrations)), ...],
        lifespan=migrations.lifespan,
        middleware=[Middleware(ReadinessMiddleware, migrations=migrations)],
    )

The server listens at once, so that a liveness probe is answered while a migration runs; what
is not a probe is answered with 503 until the schema is at its version. Owns the translation
into ASGI and no more: `rung.integrations.schema_manager` decides. Needs no framework, and
touches no logging but the logger "rung".
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.errors import RungError
from rung.integrations.readiness import Readiness, State
from rung.integrations.schema_manager import Policy, SchemaManager
from rung.render.errors import full_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = [
    "Answer",
    "Lifespan",
    "Migrations",
    "Policy",
    "Readiness",
    "ReadinessMiddleware",
    "ReadyProbe",
    "State",
    "answer_of",
]

_PROBES = ("/health", "/ready", "/metrics")
_READY, _UNAVAILABLE = 200, 503
_TRY_AGAIN_LATER = 1013


class Answer(NamedTuple):
    """A response of HTTP, for whatever framework."""

    status: int
    content_type: str
    headers: dict[str, str]
    """Besides the content type; in lower case."""
    facts: dict[str, Any]
    """What the body says, as JSON."""

    @property
    def body(self) -> bytes:
        """The same, encoded."""
        return json.dumps(self.facts).encode()


class Migrations(SchemaManager):
    """A `SchemaManager` that an application takes as its lifespan."""

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Serve at once, migrate meanwhile; give it as `Starlette(lifespan=...)`."""
        del app
        async with self.running():
            yield


def answer_of(readiness: Readiness) -> Answer:
    """What a readiness probe is told: 200, or 503 as problem+json (RFC 9457), with the state."""
    facts = {"state": readiness.state, "version": readiness.version, "detail": readiness.reason}
    if readiness.ready:
        return Answer(_READY, "application/json", {}, facts)
    return _not_ready(facts)


class ReadyProbe:
    """
    ASGI application that answers a readiness probe, whatever its path.

    Args:
        migrations: whose readiness counts.
    """

    def __init__(self, migrations: SchemaManager) -> None:
        self._migrations = migrations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; what is not HTTP gets no answer."""
        del receive
        if scope["type"] == "http":
            await _send(answer_of(self._migrations.readiness), scope, send)


class ReadinessMiddleware:
    """
    ASGI middleware: answers 503 in the application's place until the schema is ready.

    Says the state and not the reason, which may name hosts and roles: that is for `/ready`.

    Args:
        app: what is behind it.
        migrations: whose readiness counts.
        let_through: paths that are answered all the same, below the application's root.
    """

    def __init__(
        self, app: App, migrations: SchemaManager, let_through: Collection[str] = _PROBES
    ) -> None:
        self._app, self._migrations = app, migrations
        self._let_through = frozenset(let_through)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        asked = scope["type"] in {"http", "websocket"}
        readiness = self._migrations.readiness
        if not asked or readiness.ready or _path(scope) in self._let_through:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            detail = "The service is not ready; /ready says why."
            await _send(_not_ready({"detail": detail, "state": readiness.state}), scope, send)
        else:
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})


class Lifespan:
    """
    ASGI middleware: migrates beside an application that has no lifespan of its own, as Django's.

    Args:
        app: what is behind it.
        migrations: runs from the server's start to its end.
    """

    def __init__(self, app: App, migrations: SchemaManager) -> None:
        self._app, self._migrations = app, migrations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests on; answer the server's start and end."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        try:
            async with self._migrations.running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except RungError as error:  # policy "require": the server is not to start
            await send({"type": "lifespan.startup.failed", "message": full_text(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})


def _path(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _not_ready(facts: dict[str, Any]) -> Answer:
    problem = {"type": "about:blank", "title": "Not ready", "status": _UNAVAILABLE, **facts}
    return Answer(_UNAVAILABLE, "application/problem+json", {"retry-after": "1"}, problem)


async def _send(answer: Answer, scope: Scope, send: Send) -> None:
    """A HEAD is told how long the body would be, and gets none."""
    body = answer.body
    fields = {"content-type": answer.content_type, "content-length": str(len(body))}
    fields |= answer.headers
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    shown = b"" if scope.get("method") == "HEAD" else body
    await send({"type": "http.response.body", "body": shown})
