"""
Migrations for a FastAPI service.

    from rung.integrations.fastapi import Migrations, ReadinessMiddleware

    migrations = Migrations(database, "package:chatapp.migrations")
    app = FastAPI(lifespan=migrations.lifespan)
    app.add_api_route("/ready", migrations.ready)
    app.add_middleware(ReadinessMiddleware, migrations=migrations)

`rung.integrations.asgi` does the work; this module makes FastAPI responses of it.
"""

from __future__ import annotations

from fastapi.responses import JSONResponse

from rung.integrations import asgi
from rung.integrations.asgi import ReadinessMiddleware, probe_response
from rung.integrations.readiness import Readiness, ReadinessState
from rung.integrations.schema_manager import Policy

__all__ = [
    "Migrations",
    "Policy",
    "Readiness",
    "ReadinessMiddleware",
    "ReadinessState",
    "readiness_response",
]


class Migrations(asgi.Migrations):
    """A `SchemaManager` with a lifespan and a readiness route for a FastAPI application."""

    async def ready(self) -> JSONResponse:
        """
        Answer a readiness probe: 200, or 503 as problem+json (RFC 9457), with the state.

        A route: `app.add_api_route("/ready", migrations.ready)`.
        """
        return readiness_response(self.readiness)


def readiness_response(readiness: Readiness) -> JSONResponse:
    """Return a readiness as a FastAPI response."""
    answer = probe_response(readiness)
    facts, headers = answer.facts, answer.headers
    return JSONResponse(facts, answer.status, headers, media_type=answer.content_type)
