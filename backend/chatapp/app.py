"""Assemble the application: routes, middleware and services."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from chatapp import __version__, postgres
from chatapp.api import (
    accounts,
    conversations,
    errors,
    messages,
    page,
    probes,
    schema,
    summaries,
    usage,
)
from chatapp.api.description import allowed, describe, operation_id
from chatapp.api.limits import Attempts, Buckets, RateLimit, SizeLimit
from chatapp.api.middleware import RequestLog
from chatapp.api.services import Services
from chatapp.identity import Tokens
from chatapp.llm import make_catalogue
from chatapp.metrics import Metrics
from chatapp.passwords import Passwords
from chatapp.running_answers import Answers
from chatapp.settings import read_settings
from rung.integrations.fastapi import ReadinessMiddleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from chatapp.settings import Settings

_ABOUT = """
Hold conversations with language models. Register, log in, begin a conversation, ask.

Errors are problem+json (RFC 9457); lists are paged by cursors.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """
    Create the application.

    Args:
        settings: by default read from the environment.

    Raises:
        SettingsError: a setting is missing or cannot be used.
        rung.RungError: the database's URL cannot be used.
        ValueError: nobody serves the default provider's models.
    """
    settings = settings or read_settings()
    services = _services(settings)
    app = FastAPI(
        title="Chat",
        version=__version__,
        description=_ABOUT,
        lifespan=_lifespan,
        generate_unique_id_function=operation_id,
        docs_url=None,  # `api.page` has it, with files that come with the service
        redoc_url=None,
    )
    app.state.services = services
    _route(app, settings)
    errors.install(app, allowed)
    describe(app)
    _surround(app, services)
    return app


def _services(settings: Settings) -> Services:
    previous = settings.token_secret_previous
    pool, metrics = postgres.make_pool(settings), Metrics()
    catalogue = make_catalogue(settings)
    return Services(
        settings=settings,
        pool=pool,
        catalogue=catalogue,
        passwords=Passwords(
            settings.password_time_cost, settings.password_memory_kib, settings.passwords_at_once
        ),
        tokens=Tokens(
            settings.token_secret.get_secret_value(),
            settings.token_lifetime_s,
            previous.get_secret_value() if previous else None,
        ),
        attempts=Attempts(
            Buckets(settings.credentials_per_minute, settings.credentials_burst),
            Buckets(settings.log_ins_per_minute, settings.log_ins_burst),
        ),
        metrics=metrics,
        answers=Answers(pool, catalogue, metrics, settings),
        migrations=postgres.migrations(settings),
        schema=postgres.SchemaReader(settings),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Serve while the schema is migrated."""
    services: Services = app.state.services
    async with (
        services.migrations.running(),
        services.pool,
        services.answers,
        probes.gauging(services),
    ):
        yield
    services.passwords.close()
    await services.catalogue.close()


def _route(app: FastAPI, settings: Settings) -> None:
    # Without a router in between: each level of routers is searched for each request.
    for part in (accounts, conversations, messages, summaries, usage, schema):
        app.include_router(part.router, prefix="/v1", max_body_size=settings.max_body_bytes)
    app.include_router(probes.router)
    app.include_router(page.router)
    if settings.metrics != "off":
        app.include_router(probes.figures)


def _surround(app: FastAPI, services: Services) -> None:
    """
    Add the middleware; the last one added is the outermost.

    CORS is outside every middleware that may answer instead of the application, so that a page in
    a browser can read those responses too.
    """
    settings = services.settings
    app.add_middleware(SizeLimit, most=settings.max_body_bytes)
    app.add_middleware(RateLimit, settings=settings, tokens=services.tokens, free=page.PATHS)
    exempt_paths = probes.PATHS | page.PATHS
    app.add_middleware(
        ReadinessMiddleware, migrations=services.migrations, exempt_paths=exempt_paths
    )
    if isinstance(settings.metrics, int):
        app.add_middleware(probes.OwnPort, port=settings.metrics)
    app.add_middleware(errors.Unexpected)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["authorization", "content-type", "x-request-id"],
            expose_headers=["retry-after", "www-authenticate", "x-request-id"],
        )
    app.add_middleware(RequestLog, metrics=services.metrics)
