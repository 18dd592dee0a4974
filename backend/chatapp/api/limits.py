"""
How much somebody may send, and how often: a bound on bodies, and token buckets in this process.

A bucket belongs to whoever fills it with requests, so that nobody can empty another's: to the
bearer of a token, ended by a change of the password as the token is, or to a network for those
without one. A network is an IPv4 address or an IPv6 /64, the least that one customer is given.
"""

from __future__ import annotations

import heapq
import ipaddress
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from starlette.datastructures import Headers

from chatapp import problems
from chatapp.api.errors import response
from chatapp.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

    from chatapp.identity import Tokens
    from chatapp.settings import Settings

_MOST_BUCKETS = 10_000
_MOST_KNOWN = 10_000
_IPV6_NETWORK = 64
_FREE = frozenset({"/health", "/ready", "/metrics", "/v1/accounts", "/v1/tokens"})
"""Probes; and what `Attempts` is asked for, so that nothing else keeps anybody from logging in."""


def network(scope: Scope) -> str:
    """
    Say from which network a request comes: an IPv4 address, or the /64 of an IPv6 address.

    IPv4 addresses that are written as IPv6 are IPv4 addresses. What is no address, as on a Unix
    socket, stands for itself.
    """
    host = str((scope.get("client") or ("unknown", 0))[0])
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _IPV6_NETWORK), strict=False))


class _Bucket(NamedTuple):
    left: float
    at: float


class Buckets:
    """
    A bucket for each key, refilled as time passes.

    Full ones are forgotten. Where there are too many all the same, the fullest half is: whoever
    makes up keys makes buckets that are nearly full, and gets no empty one forgotten by it.

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

    def wait(self, key: str) -> float:
        """Seconds until one can be taken; 0 for now."""
        left = self._left(self._buckets.get(key), self._clock())
        return 0.0 if left >= 1 else (1 - left) / self._rate

    def take(self, key: str) -> float:
        """Take one; 0 where there was one, else the seconds until there will be."""
        now = self._clock()
        left = self._left(self._buckets.get(key), now)
        if left < 1:
            return (1 - left) / self._rate
        if len(self._buckets) >= _MOST_BUCKETS:
            self._forget(now)
        self._buckets[key] = _Bucket(left - 1, now)
        return 0.0

    def _left(self, bucket: _Bucket | None, now: float) -> float:
        if bucket is None:
            return self._burst
        return min(self._burst, bucket.left + (now - bucket.at) * self._rate)

    def _forget(self, now: float) -> None:
        left = {key: self._left(bucket, now) for key, bucket in self._buckets.items()}
        kept = [key for key in left if left[key] < self._burst]
        if len(kept) >= _MOST_BUCKETS:
            kept = heapq.nsmallest(_MOST_BUCKETS // 2, kept, key=left.__getitem__)
        self._buckets = {key: self._buckets[key] for key in kept}


class Attempts:
    """
    How often somebody may register, log in or name their password: each costs a slow hash.

    Everybody may guess the name of an account, so a bucket for an account alone would let anybody
    lock its owner out. Hence three rules:

    - An account has a bucket for each network. Whoever guesses empties the one of their own
      network, and the owner's, elsewhere, stays full.
    - A network has a bucket for all accounts, which guessing at many of them empties, as
      registering does.
    - Where somebody has logged in to an account before, that network's bucket is not asked for
      that account. So a neighbour behind the same address who empties it keeps out nobody who
      has logged in from there. Such an account is not free: it took two from the network's
      bucket to register it and log in first, and it has its own bucket from then on.

    One account can be guessed at from many networks at once, each with a bucket. Refusing them
    all would refuse the owner on a new network as well; who runs the service sees it in the
    metrics instead.

    Args:
        networks: a bucket for each network.
        accounts: a bucket for each account in each network.
    """

    def __init__(self, networks: Buckets, accounts: Buckets) -> None:
        self._networks, self._accounts = networks, accounts
        self._known: OrderedDict[str, None] = OrderedDict()

    def admit(self, where: str, account: str | None = None) -> None:
        """
        Take what an attempt costs; a refused one costs nothing.

        Args:
            where: the network.
            account: the folded name that is given; None for somebody new.

        Raises:
            Problem: there was too little left.
        """
        pair = f"{where} {account}"
        known = account is not None and pair in self._known
        wait = max(
            0.0 if known else self._networks.wait(where),
            0.0 if account is None else self._accounts.wait(pair),
        )
        if wait > 0:
            raise problems.too_often(wait)
        if not known:
            self._networks.take(where)
        if account is not None:
            self._accounts.take(pair)

    def succeeded(self, where: str, account: str) -> None:
        """Remember that somebody has logged in to an account from a network."""
        pair = f"{where} {account}"
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)


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
    """
    ASGI middleware: answers 429 to whoever asks too often.

    Reads the token for that, and leaves what it says in the request's state as `claims`.

    Args:
        app: the application that it wraps.
        settings: how often is too often.
        tokens: who is asking.
        free: paths that may be asked for at any time, beside those that are always free.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, tokens: Tokens, free: Collection[str]
    ) -> None:
        self._app, self._tokens, self._free = app, tokens, _FREE | frozenset(free)
        self._requests = Buckets(settings.rate_per_minute, settings.rate_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http" or scope["path"] in self._free:
            await self._app(scope, receive, send)
            return
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        claims = self._tokens.read(token.strip()) if kind.lower() == "bearer" else None
        scope.setdefault("state", {})["claims"] = claims
        # The fingerprint is part of the key: a token that was ended has no part in its owner's.
        key = f"{claims.user_id} {claims.password}" if claims else network(scope)
        wait = self._requests.take(key)
        if wait > 0:
            await response(problems.too_often(wait))(scope, receive, send)
        else:
            await self._app(scope, receive, send)
