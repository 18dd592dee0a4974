"""
A FastAPI service whose schema Rung keeps.

    from rung.integrations.fastapi import Migrations, ReadinessMiddleware

    migrations = Migrations(database, "package:chatapp.migrations")
    app = FastAPI(lifespan=migrations.lifespan)
    app.add_api_route("/ready", migrations.ready)
    app.add_middleware(ReadinessMiddleware, migrations=migrations)

`rung.integrations.asgi` does all of it; what is here is a response of FastAPI's own kind.
"""

from __future__ import annotations

from fastapi.responses import JSONResponse

from rung.integrations import asgi
from rung.integrations.asgi import ReadinessMiddleware, answer_of
from rung.integrations.readiness import Readiness, State
from rung.integrations.schema_manager import Policy

__all__ = [
    "Migrations",
    "Policy",
    "Readiness",
    "ReadinessMiddleware",
    "State",
    "readiness_response",
]


class Migrations(asgi.Migrations):
    """A `SchemaManager` that a FastAPI application takes as its lifespan and asks for readiness."""

    async def ready(self) -> JSONResponse:
        """
        Answer a readiness probe: 200, or 503 as problem+json (RFC 9457), with the state.

        A route: `app.add_api_route("/ready", migrations.ready)`.
        """
        return readiness_response(self.readiness)


def readiness_response(readiness: Readiness) -> JSONResponse:
    """A readiness as HTTP says it."""
    answer = answer_of(readiness)
    facts, headers = answer.facts, answer.headers
    return JSONResponse(facts, answer.status, headers, media_type=answer.content_type)
