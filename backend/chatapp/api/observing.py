"""A line in the log and a count in the metrics for each request, and its id in the answer."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from chatapp.metrics import Metrics

_LOGGER = logging.getLogger("chatapp.requests")
_PROBES = frozenset({"/health", "/ready", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNKNOWN = "(none)"


class Observing:
    """ASGI middleware, the outermost: sees the status of whatever answers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and tell of it when its answer was sent."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, status, began = str(uuid4()), 500, time.monotonic()
        scope.setdefault("state", {})["request_id"] = request_id  # for who answers outside of us

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._tell(scope, status, time.monotonic() - began, request_id)

    def _tell(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = _route(scope)
        known = route != _UNKNOWN and scope["method"] in _METHODS
        method = scope["method"] if known else "(any)"
        self._metrics.requests.labels(method, route, str(status)).observe(seconds)
        facts = {
            "request": request_id,
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        level = logging.DEBUG if scope["path"] in _PROBES else logging.INFO
        _LOGGER.log(level, "%s %s %s", scope["method"], route, status, extra=facts)


def _route(scope: Scope) -> str:
    """Give the path of a request with the names of its parameters in place of their values."""
    if "route" not in scope:
        return _UNKNOWN
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(names.get(part, part) for part in str(scope["path"]).split("/"))
