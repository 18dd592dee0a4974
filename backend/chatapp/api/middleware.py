"""
Log and count each request, and return its id in the response.

The id is the caller's `X-Request-Id` if it has 1 to 128 printable ASCII characters and no space: it
is written to logs and sent back, so anything else is replaced.
"""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders

from chatapp.logs import request_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from chatapp.metrics import Metrics

_LOGGER = logging.getLogger("chatapp.requests")
_PROBES = frozenset({"/health", "/ready", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNKNOWN = "(none)"
_ID = re.compile(r"[!-~]{1,128}")


class RequestLog:
    """ASGI middleware, the outermost: logs and counts the status of every response."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, and log it when its response has been sent."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        named = given if _ID.fullmatch(given) else str(uuid4())
        status, began = 500, time.monotonic()
        token = request_id.set(named)

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = named
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._tell(scope, status, time.monotonic() - began, named)
            request_id.reset(token)

    def _tell(self, scope: Scope, status: int, seconds: float, named: str) -> None:
        route = _route(scope)
        known = route != _UNKNOWN and scope["method"] in _METHODS
        method = scope["method"] if known else "(any)"
        self._metrics.requests.labels(method, route, str(status)).observe(seconds)
        facts = {
            "request": named,
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        level = logging.DEBUG if scope["path"] in _PROBES else logging.INFO
        _LOGGER.log(level, "%s %s %s", scope["method"], route, status, extra=facts)


def _route(scope: Scope) -> str:
    """Return the path of a request with the names of its parameters instead of their values."""
    if "route" not in scope:
        return _UNKNOWN
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(names.get(part, part) for part in str(scope["path"]).split("/"))
