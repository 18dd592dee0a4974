"""
Limit the size of bodies and the rate of requests, with token buckets in this process.

A bucket belongs to its requests' sender, so that nobody can empty another's: to a user with a
token, until a change of the password, or to a network for requests without a token. A network is an
IPv4 address or an IPv6 /64, the smallest range that a customer gets.
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
    Return the network of a request: an IPv4 address, or the /64 of an IPv6 address.

    IPv4 addresses in IPv6 notation are IPv4 addresses. Anything else, as on a Unix socket, is
    returned unchanged.
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
    A token bucket for each key, refilled over time.

    Full buckets are discarded. If there are still too many, the fullest half is discarded: an
    attacker who invents keys creates nearly full buckets, and cannot make an empty one disappear.

    Args:
        per_minute: the rate of refilling.
        burst: the capacity.
        clock: returns seconds.
    """

    def __init__(
        self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, float(burst), clock
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, key: str) -> float:
        """Return the seconds until a token is available; 0 for now."""
        left = self._left(self._buckets.get(key), self._clock())
        return 0.0 if left >= 1 else (1 - left) / self._rate

    def take(self, key: str) -> float:
        """Take a token and return 0, or return the seconds until one is available."""
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
    Limit registrations, log-ins and changes of passwords: each costs a slow hash.

    Anybody may know the name of an account, so a bucket per account alone would let anybody lock
    its owner out. Hence three rules:

    - An account has a bucket for each network. An attacker empties the one of their own network;
      the owner's, on another network, stays full.
    - A network has a bucket for all accounts, which registrations and attempts on many accounts
      empty.
    - For an account that has logged in from a network before, that network's bucket is not
      checked. So a neighbour behind the same address who empties it locks out nobody who has
      logged in from there. Such an account is not free: its registration and first log-in took two
      tokens from the network's bucket, and from then on it has its own bucket.

    An account can be attacked from many networks at once, each with a bucket. Rejecting them all
    would also reject the owner on a new network; the operator sees such an attack in the metrics.

    Args:
        networks: a bucket for each network.
        accounts: a bucket for each account in each network.
    """

    def __init__(self, networks: Buckets, accounts: Buckets) -> None:
        self._networks, self._accounts = networks, accounts
        self._known: OrderedDict[str, None] = OrderedDict()

    def admit(self, where: str, account: str | None = None) -> None:
        """
        Take the tokens of an attempt; a rejected attempt costs nothing.

        Args:
            where: the network.
            account: the folded name; None for a registration.

        Raises:
            Problem: a bucket is empty.
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
        """Record a log-in to an account from a network."""
        pair = f"{where} {account}"
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)


class SizeLimit:
    """
    ASGI middleware: answers 413 to a request whose Content-Length is too large.

    A body without that header is limited by the framework while it is read.
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
    ASGI middleware: answers 429 to too many requests of one sender.

    It verifies the token for that, and stores its claims in the request's state as `claims`.

    Args:
        app: the application.
        settings: have the limits.
        tokens: verifies tokens.
        free: paths without a limit, in addition to those that never have one.
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
