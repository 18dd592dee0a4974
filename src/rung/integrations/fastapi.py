"""
A FastAPI (or Starlette) service whose schema Rung keeps.

    from rung.integrations.fastapi import Migrations, ReadyGate

    migrations = Migrations(database, "package:chatapp.migrations")
    app = FastAPI(lifespan=migrations.lifespan)
    app.add_api_route("/ready", migrations.ready)
    app.add_middleware(ReadyGate, migrations=migrations)

The server listens at once, so that a liveness probe is answered while a migration runs; what
is not a probe is answered with 503 until the schema is at its version. Owns the translation
into HTTP and no more: `rung.integrations.keeper` decides. Touches no logging but the logger
"rung".
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi.responses import JSONResponse

from rung.integrations.keeper import Keeper, Policy
from rung.integrations.readiness import Readiness, State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Migrations", "Policy", "Readiness", "ReadyGate", "State"]

_PROBES = ("/health", "/ready", "/metrics")
_UNAVAILABLE = 503
_TRY_AGAIN_LATER = 1013


class Migrations(Keeper):
    """A `Keeper` that a FastAPI application takes as its lifespan and asks for readiness."""

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Serve at once, migrate meanwhile; give it as `FastAPI(lifespan=...)`."""
        del app
        async with self.running():
            yield

    async def ready(self) -> JSONResponse:
        """
        Answer a readiness probe: 200, or 503 as problem+json (RFC 9457), with the state.

        A route: `app.add_api_route("/ready", migrations.ready)`.
        """
        return readiness_response(self.readiness)


def readiness_response(readiness: Readiness) -> JSONResponse:
    """A readiness as HTTP says it."""
    facts = {"state": readiness.state, "version": readiness.version, "detail": readiness.reason}
    if readiness.ready:
        return JSONResponse(facts)
    problem = {"type": "about:blank", "title": "Not ready", "status": _UNAVAILABLE, **facts}
    return JSONResponse(
        problem, _UNAVAILABLE, {"retry-after": "1"}, media_type="application/problem+json"
    )


class ReadyGate:
    """
    ASGI middleware: answers 503 in the application's place until the schema is ready.

    Says the state and not the reason, which may name hosts and roles: that is for `/ready`.

    Args:
        app: what is behind it.
        migrations: whose readiness counts.
        let_through: paths that are answered all the same, below the application's root.
    """

    def __init__(
        self, app: ASGIApp, migrations: Keeper, let_through: Collection[str] = _PROBES
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
            await _refuse(readiness, send)
        else:
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})


def _path(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


async def _refuse(readiness: Readiness, send: Send) -> None:
    problem = {
        "type": "about:blank",
        "title": "Not ready",
        "status": _UNAVAILABLE,
        "detail": "The service does not serve yet; /ready says why.",
        "state": readiness.state,
    }
    headers = [(b"content-type", b"application/problem+json"), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": _UNAVAILABLE, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})
