"""
Put a constant load on the chat service: an open loop over HTTP.

A request's latency starts when it is due, so that requests that could not be sent count too. None
is retried.
"""

from __future__ import annotations

import asyncio
import random
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    import httpx2

    from bench.rolling.replicas import Endpoints, Replica

_TALKS = 40
_PASSWORD = "correct horse battery"
_KINDS = ("list", "read", "ask", "read", "stream", "ask")
"""In turn: half of the requests write, a third of these as a stream."""


class Talk(NamedTuple):
    """A conversation of a user."""

    path: str
    headers: dict[str, str]


class Answer(NamedTuple):
    """One request and its result; times are the event loop's, in seconds."""

    kind: str
    due: float
    late: float
    """How much later than due it was sent: the load's own delay."""
    seconds: float
    """From when it was due to the end of its answer."""
    fault: str
    """Empty where it was answered as it should be."""


async def begin_talks(replica: Replica) -> list[Talk]:
    """Register a user, and begin their conversations."""
    name = f"ada-{random.getrandbits(32)}"
    who = {"username": name, "email": f"{name}@example.org", "password": _PASSWORD}
    await _post(replica, "/v1/accounts", {}, who)
    token = await _post(replica, "/v1/tokens", {}, {"name": name, "password": _PASSWORD})
    headers = {"authorization": f"Bearer {token['access_token']}"}
    made = [await _post(replica, "/v1/conversations", headers, {}) for _ in range(_TALKS)]
    return [Talk(f"/v1/conversations/{one['id']}", headers) for one in made]


async def _post(replica: Replica, path: str, headers: dict[str, str], body: object) -> Any:  # noqa: ANN401 - JSON
    answer = await replica.http.post(path, headers=headers, json=body)
    return answer.raise_for_status().json()


class Load:
    """
    Send requests at a constant rate, for a `with` block.

    Args:
        endpoints: the replicas that receive them.
        talks: their conversations.
        rate: requests per second.
    """

    def __init__(self, endpoints: Endpoints, talks: list[Talk], rate: float) -> None:
        self._endpoints, self._talks, self._rate = endpoints, talks, rate
        self.answers: list[Answer] = []
        self._over = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._pacing = asyncio.create_task(self._pace())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await self._pacing

    async def _pace(self) -> None:
        now = asyncio.get_running_loop().time
        first = now()
        async with asyncio.TaskGroup() as sent:
            for number in count():
                due = first + number / self._rate
                await asyncio.sleep(max(0.0, due - now()))
                if self._over.is_set():
                    return
                sent.create_task(self._request(number, due))

    async def _request(self, number: int, due: float) -> None:
        now = asyncio.get_running_loop().time
        kind, talk = _KINDS[number % len(_KINDS)], self._talks[number % len(self._talks)]
        sent = now()
        try:
            fault = await _REQUESTS[kind](self._endpoints.next().http, talk)
        except Exception as error:  # noqa: BLE001 - whatever it was, the request has failed
            fault = repr(error)
        self.answers.append(Answer(kind, due, sent - due, now() - due, fault))


async def _list(http: httpx2.AsyncClient, talk: Talk) -> str:
    answer = await http.get("/v1/conversations", params={"limit": 10}, headers=talk.headers)
    return _fault(answer, "items")


async def _read(http: httpx2.AsyncClient, talk: Talk) -> str:
    answer = await http.get(f"{talk.path}/messages", params={"limit": 10}, headers=talk.headers)
    return _fault(answer, "items")


async def _ask(http: httpx2.AsyncClient, talk: Talk) -> str:
    answer = await http.post(
        f"{talk.path}/messages", json={"content": "Why?"}, headers=talk.headers
    )
    return _fault(answer, "answer")


async def _stream(http: httpx2.AsyncClient, talk: Talk) -> str:
    answer = await http.post(f"{talk.path}/stream", json={"content": "How?"}, headers=talk.headers)
    whole = answer.is_success and "event: exchange" in answer.text
    return "" if whole else f"{answer.status_code} {answer.text}"


def _fault(answer: httpx2.Response, key: str) -> str:
    whole = answer.is_success and key in answer.json()
    return "" if whole else f"{answer.status_code} {answer.text}"


_REQUESTS = {"list": _list, "read": _read, "ask": _ask, "stream": _stream}
