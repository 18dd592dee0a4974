"""
Migrations for an ASGI service: Starlette, Litestar, Django, or no framework.

    from rung.integrations.asgi import Migrations, ReadinessMiddleware, ReadyProbe

    migrations = Migrations(database, "package:chatapp.migrations")
    app = Starlette(
        routes=[Route("/ready", ReadyProbe(migrations)), ...],
        lifespan=migrations.lifespan,
        middleware=[Middleware(ReadinessMiddleware, migrations=migrations)],
    )

The server listens at once, so that a liveness probe is answered while a migration runs; other
requests are answered with 503 until the schema is at its version. This module only translates to
ASGI: `rung.integrations.schema_manager` decides. It needs no framework, and uses no logger but
"rung".
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.errors import RungError
from rung.integrations.readiness import Readiness, ReadinessState
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
    "Lifespan",
    "Migrations",
    "Policy",
    "ProbeResponse",
    "Readiness",
    "ReadinessMiddleware",
    "ReadinessState",
    "ReadyProbe",
    "SchemaManager",
    "probe_response",
]

_PROBES = ("/health", "/ready", "/metrics")
_READY, _UNAVAILABLE = 200, 503
_TRY_AGAIN_LATER = 1013


class ProbeResponse(NamedTuple):
    """An HTTP response, for any framework."""

    status: int
    content_type: str
    headers: dict[str, str]
    """The header fields without the content type, in lower case."""
    facts: dict[str, Any]
    """The content of the body, to be encoded as JSON."""

    @property
    def body(self) -> bytes:
        """Return the encoded body."""
        return json.dumps(self.facts).encode()


class Migrations(SchemaManager):
    """A `SchemaManager` with a lifespan for an application."""

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Migrate while the application serves; pass it as `Starlette(lifespan=...)`."""
        del app
        async with self.running():
            yield


def probe_response(readiness: Readiness) -> ProbeResponse:
    """Return a probe's response: 200, or 503 as problem+json (RFC 9457), with the state."""
    facts = {"state": readiness.state, "version": readiness.version, "detail": readiness.reason}
    if readiness.ready:
        return ProbeResponse(_READY, "application/json", {}, facts)
    return _not_ready(facts)


class ReadyProbe:
    """
    ASGI application that answers a readiness probe on any path.

    Args:
        migrations: has the readiness.
    """

    def __init__(self, migrations: SchemaManager) -> None:
        self._migrations = migrations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request; ignore anything else."""
        del receive
        if scope["type"] == "http":
            await _send(probe_response(self._migrations.readiness), scope, send)


class ReadinessMiddleware:
    """
    ASGI middleware: answers 503 instead of the application until the schema is ready.

    The response has the state without the reason, which may name hosts and roles: that is for
    `/ready`.

    Args:
        app: the application.
        migrations: has the readiness.
        exempt_paths: paths that the application always answers, relative to its root.
    """

    def __init__(
        self, app: App, migrations: SchemaManager, exempt_paths: Collection[str] = _PROBES
    ) -> None:
        self._app, self._migrations = app, migrations
        self._exempt_paths = frozenset(exempt_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, or answer it."""
        is_request = scope["type"] in {"http", "websocket"}
        readiness = self._migrations.readiness
        if not is_request or readiness.ready or _path(scope) in self._exempt_paths:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            detail = "The service is not ready; /ready says why."
            await _send(_not_ready({"detail": detail, "state": readiness.state}), scope, send)
        else:
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})


class Lifespan:
    """
    ASGI middleware: migrates for an application that has no lifespan of its own, such as Django's.

    Args:
        app: the application.
        migrations: runs from the server's start to its end.
    """

    def __init__(self, app: App, migrations: SchemaManager) -> None:
        self._app, self._migrations = app, migrations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward requests; answer the server's start and end."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        try:
            async with self._migrations.running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except RungError as error:  # policy "require": the server must not start
            await send({"type": "lifespan.startup.failed", "message": full_text(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})


def _path(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _not_ready(facts: dict[str, Any]) -> ProbeResponse:
    problem = {"type": "about:blank", "title": "Not ready", "status": _UNAVAILABLE, **facts}
    return ProbeResponse(_UNAVAILABLE, "application/problem+json", {"retry-after": "1"}, problem)


async def _send(answer: ProbeResponse, scope: Scope, send: Send) -> None:
    """Send a response; for HEAD only the length of the body."""
    body = answer.body
    fields = {"content-type": answer.content_type, "content-length": str(len(body))}
    fields |= answer.headers
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    content = b"" if scope.get("method") == "HEAD" else body
    await send({"type": "http.response.body", "body": content})
