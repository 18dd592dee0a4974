"""What an operator asks: whether it lives, whether it may be sent requests, and its figures."""

from __future__ import annotations

import asyncio

import psycopg
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from psycopg_pool import PoolTimeout

from chatapp.api.services import Services
from chatapp.postgres import store
from rung.integrations.fastapi import Readiness, readiness_response

router = APIRouter(tags=["probes"], include_in_schema=False)

_PATIENCE_S = 2.0


@router.get("/health")
async def health() -> dict[str, str]:
    """Alive; says nothing of the database, so that no probe kills a migration under way."""
    return {"status": "alive"}


@router.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """Whether the schema is at a version that this build works with, and the database works."""
    services: Services = request.app.state.services
    readiness = services.migrations.readiness
    if readiness.ready:
        readiness = await _now(services, readiness)
    return readiness_response(readiness)


async def _now(services: Services, readiness: Readiness) -> Readiness:
    """Ask the database; not for longer than a probe waits, though giving up may take longer."""
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
        async with services.pool.connection(timeout=_PATIENCE_S) as connection:
            return await store.is_read_only(connection)
    except (psycopg.Error, PoolTimeout, TimeoutError):
        return None


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    services: Services = request.app.state.services
    return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST)
