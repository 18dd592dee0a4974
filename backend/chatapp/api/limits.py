"""
How much somebody may send, and how often: a bound on bodies, and token buckets in this process.

A bucket is a user's, or an address's for who is not logged in.

Registering and logging in have buckets of their own, by address, since each costs a slow
hash and is what somebody who guesses passwords would do.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from starlette.datastructures import Headers

from chatapp.api.errors import response
from chatapp.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from chatapp.identity import Tokens
    from chatapp.settings import Settings

_MOST_BUCKETS = 10_000
_FREE = frozenset({"/health", "/ready", "/metrics"})
_CREDENTIALS = frozenset({("POST", "/v1/accounts"), ("POST", "/v1/tokens")})


class _Bucket(NamedTuple):
    left: float
    at: float


class Buckets:
    """
    A bucket for each key, refilled as time passes; full ones are forgotten.

    Args:
        per_minute: how fast one fills.
        burst: how much it holds.
        clock: seconds.
    """

    def __init__(
        self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, float(burst), clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str) -> float:
        """Take one; 0 where there was one, else the seconds until there will be."""
        now = self._clock()
        if len(self._buckets) >= _MOST_BUCKETS:
            self._forget(now)
        left = self._left(self._buckets.get(key, _Bucket(self._burst, now)), now)
        if left < 1:
            return (1 - left) / self._rate
        self._buckets[key] = _Bucket(left - 1, now)
        return 0.0

    def _left(self, bucket: _Bucket, now: float) -> float:
        return min(self._burst, bucket.left + (now - bucket.at) * self._rate)

    def _forget(self, now: float) -> None:
        """Forget the full ones; all of them where a flood of addresses leaves too many."""
        kept = {k: b for k, b in self._buckets.items() if self._left(b, now) < self._burst}
        self._buckets = kept if len(kept) < _MOST_BUCKETS else {}


class SizeLimit:
    """
    ASGI middleware: answers 413 to a body that says it is too large.

    One that does not say so is cut off by the framework while it is read.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "http" and self._is_too_large(Headers(scope=scope)):
            detail = f"A request may have {self._most} bytes."
            problem = Problem(413, "content-too-large", "Content too large", detail)
            await response(problem)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_too_large(self, headers: Headers) -> bool:
        told = headers.get("content-length", "")
        return told.isdigit() and int(told) > self._most


class RateLimit:
    """ASGI middleware: answers 429 to whoever asks too often."""

    def __init__(self, app: ASGIApp, settings: Settings, tokens: Tokens) -> None:
        self._app, self._tokens = app, tokens
        self._requests = Buckets(settings.rate_per_minute, settings.rate_burst)
        self._credentials = Buckets(settings.credentials_per_minute, settings.credentials_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http" or scope["path"] in _FREE:
            await self._app(scope, receive, send)
            return
        wait = self._take(scope)
        if wait <= 0:
            await self._app(scope, receive, send)
            return
        seconds = int(wait) + 1
        detail = f"Too many requests; try again in {seconds} s."
        problem = Problem(429, "too-many-requests", "Too many requests", detail, seconds)
        await response(problem)(scope, receive, send)

    def _take(self, scope: Scope) -> float:
        address = (scope.get("client") or ("unknown", 0))[0]
        if (scope["method"], scope["path"]) in _CREDENTIALS:
            return self._credentials.take(address)
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        user = self._tokens.read(token) if kind.lower() == "bearer" else None
        return self._requests.take(str(user or address))
