"""Serve the operator's probes: liveness, readiness and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psycopg
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from psycopg_pool import PoolTimeout
from starlette.types import ASGIApp, Receive, Scope, Send

from chatapp.api.errors import response
from chatapp.api.services import Services
from chatapp.postgres import store
from chatapp.problems import Problem
from rung.integrations.fastapi import Readiness, readiness_response

router = APIRouter(tags=["probes"], include_in_schema=False)
figures = APIRouter(tags=["probes"], include_in_schema=False)

PATHS = frozenset({"/health", "/ready", "/metrics"})

_PATIENCE_S = 2.0
_GAUGING_S = 5.0
_METRICS = "/metrics"


@router.api_route("/health", methods=["GET", "HEAD"])
async def health() -> dict[str, str]:
    """Report liveness, whatever the database does, so that no probe kills a running migration."""
    return {"status": "alive"}


@router.api_route("/ready", methods=["GET", "HEAD"])
async def ready(request: Request) -> JSONResponse:
    """Report whether this build works with the schema, and the database answers."""
    services: Services = request.app.state.services
    readiness = services.migrations.readiness
    if readiness.ready:
        readiness = await _now(services, readiness)
    return readiness_response(readiness)


async def _now(services: Services, readiness: Readiness) -> Readiness:
    """Check the database within the timeout of a probe; cancelling may take longer."""
    asked = asyncio.create_task(_is_read_only(services))
    await asyncio.wait({asked}, timeout=_PATIENCE_S)
    asked.cancel()
    read_only = asked.result() if asked.done() else None
    if read_only is None:
        reason = "The database does not answer."
        return readiness._replace(ready=False, state="down", reason=reason)
    if read_only:
        reason = "The database takes no writes: a standby, or it was set so."
        return readiness._replace(ready=False, state="read-only", reason=reason)
    return readiness


async def _is_read_only(services: Services) -> bool | None:
    try:
        async with services.pool.alone(timeout=_PATIENCE_S) as connection:
            return await store.is_read_only(connection)
    except (psycopg.Error, PoolTimeout, TimeoutError):
        return None


@figures.api_route(_METRICS, methods=["GET", "HEAD"])
async def metrics(request: Request) -> Response:
    """Return the metrics for Prometheus."""
    services: Services = request.app.state.services
    _gauge(services)
    return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST)


class OwnPort:
    """
    ASGI middleware: serves the metrics on a port of their own, and nothing else there.

    Args:
        app: the application.
        port: the second port that `python -m chatapp` listens on.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app, self._port = app, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request that came to the port of its path."""
        if scope["type"] == "http":
            came_to_it = (scope.get("server") or ("", None))[1] == self._port
            if came_to_it != (scope["path"] == _METRICS):
                await response(_nowhere())(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _nowhere() -> Problem:
    return Problem(404, "not-found", "Not Found", "Not Found")


@asynccontextmanager
async def gauging(services: Services) -> AsyncGenerator[None, None]:
    """
    Update the gauges of this process regularly, for a `with` block.

    Several processes share their metrics in files, and the one that is queried reads them all, so
    the others must have written their gauges before.
    """
    task = asyncio.create_task(_keep_gauging(services))
    try:
        yield
    finally:
        task.cancel()
        services.metrics.end()


async def _keep_gauging(services: Services) -> None:
    while services.settings.workers > 1:
        _gauge(services)
        await asyncio.sleep(_GAUGING_S)


def _gauge(services: Services) -> None:
    readiness = services.migrations.readiness
    services.metrics.gauge(services.pool.get_stats(), readiness.version, ready=readiness.ready)
