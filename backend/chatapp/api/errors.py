"""
Write every error as problem+json (RFC 9457). Nothing else writes an error.

Values of a request are not repeated: one of them may be a password.
"""

from __future__ import annotations

import http
import logging
from typing import TYPE_CHECKING, Any

import psycopg
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg import errors
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from chatapp.llm import ProviderError
from chatapp.problems import PREFIX, Problem, provider_problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    Handler = Callable[[Request, Exception], Awaitable[JSONResponse]]

PROBLEM = "application/problem+json"
_LOGGER = logging.getLogger("chatapp")
_UNAUTHORISED, _METHOD_NOT_ALLOWED, _INVALID, _UNAVAILABLE = 401, 405, 422, 503
_MOST_FAULTS = 20
"""What somebody sends could have tens of thousands."""
_OF_THE_DATABASE = (
    PoolTimeout,
    TimeoutError,
    psycopg.OperationalError,
    errors.ReadOnlySqlTransaction,
)

_INTERNAL = Problem(
    500, "internal-error", "Internal error", "Something went wrong here; it was logged."
)


def install(app: FastAPI, allowed: Callable[[FastAPI, str], str]) -> None:
    """
    Handle every error of an application.

    Args:
        app: the application.
        allowed: returns the methods of a path.
    """
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(ProviderError, _provider)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused(allowed))
    for kind in _OF_THE_DATABASE:
        app.add_exception_handler(kind, _database)


def content(problem: Problem) -> dict[str, Any]:
    """Return a problem as a JSON object."""
    told = {
        "type": f"{PREFIX}{problem.name}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    # Also in here, for a stream has no header left to say it in.
    return told if problem.retry_after is None else told | {"retry_after": problem.retry_after}


def in_a_stream(error: Exception) -> dict[str, Any]:
    """Translate an error to a problem after a response has begun, when no handler is called."""
    if isinstance(error, Problem):
        return content(error)
    if isinstance(error, ProviderError):
        return content(provider_problem(error))
    if isinstance(error, _OF_THE_DATABASE):
        return content(_unavailable(error))
    _LOGGER.error("A stream met an unexpected error.", exc_info=error)
    return content(_INTERNAL)


def response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return a problem as an HTTP response."""
    more = dict(headers or {})
    if problem.retry_after is not None:
        more["retry-after"] = str(problem.retry_after)
    if problem.status == _UNAUTHORISED:
        more["www-authenticate"] = "Bearer"
    return JSONResponse(content(problem), problem.status, more, media_type=PROBLEM)


async def _problem(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, Problem)
    return response(error)


async def _provider(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, ProviderError)
    return response(provider_problem(error))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """List the invalid parts of a request, each by its JSON pointer or parameter."""
    del request
    assert isinstance(error, RequestValidationError)
    problem = Problem(
        _INVALID, "invalid-request", "Invalid request", "The request does not fit its description."
    )
    first = error.errors()[:_MOST_FAULTS]
    faults = [{"at": _place(fault["loc"]), "detail": fault["msg"]} for fault in first]
    return JSONResponse({**content(problem), "errors": faults}, _INVALID, media_type=PROBLEM)


def _place(parts: tuple[str | int, ...]) -> str:
    where, *path = parts
    return f"{where}/{'/'.join(map(str, path))}" if path else str(where)


def _refused(allowed: Callable[[FastAPI, str], str]) -> Handler:
    """Write the framework's own errors: unknown path, method not allowed, too large."""

    async def handler(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        title = http.HTTPStatus(error.status_code).phrase
        name = title.lower().replace(" ", "-")
        headers = dict(error.headers or {})
        if error.status_code == _METHOD_NOT_ALLOWED:  # the framework names one route's alone
            headers = {"allow": allowed(request.app, request.url.path) or headers["Allow"]}
        return response(Problem(error.status_code, name, title, str(error.detail)), headers)

    return handler


async def _database(request: Request, error: Exception) -> JSONResponse:
    del request
    return response(_unavailable(error))


def _unavailable(error: Exception) -> Problem:
    """Report a failure of the database; the reason is only logged."""
    _LOGGER.warning("The database failed a request: %s", type(error).__name__)
    read_only = isinstance(error, errors.ReadOnlySqlTransaction)
    name, detail = (
        ("read-only", "The database takes no writes at the moment.")
        if read_only
        else ("database-unavailable", "The database does not answer at the moment.")
    )
    return Problem(_UNAVAILABLE, name, "Unavailable", detail, retry_after=5)


class Unexpected:
    """
    ASGI middleware: answers 500 to an unexpected error, and logs it.

    A handler of the framework would answer outside of all other middleware, without the CORS
    headers that a page in a browser needs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request; answer it if that fails before a response has begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if begun:  # the server logs it, and hangs up: the answer cannot be ended
                raise
            _LOGGER.exception("A request met an unexpected error.")
            await response(_INTERNAL)(scope, receive, send)
