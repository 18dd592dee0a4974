"""
A small endpoint that speaks OpenAI's chat completions, and fails as real ones do.

What it does is chosen by the model that is asked for (see `behaviours`); what it was sent is kept.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from tests.chat.behaviours import ENDLESS, EVENTS, FORMS, HILL, KEY, ROWS, TEAR, delta, whole
from tests.chat.serving import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request
    from tests.chat.behaviours import Parts

__all__ = ["KEY", "MODELS", "Endpoint", "endpoint"]

MODELS = (*ROWS, *FORMS, "flaky", "endless", "waiting")


class Endpoint:
    """What it was sent, and how often it has failed."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.url = ""
        self.left = False
        """Whether somebody hung up on it."""
        self.go = False
        """Whether the model "waiting" may continue after its first piece."""
        self._flaky = 0

    async def complete(self, request: Request) -> Response:
        """Answer one request."""
        asked = await request.json()
        self.seen.append(asked)
        self.keys.add(request.headers.get("authorization"))
        model = asked["model"]
        if model == "flaky":
            self._flaky += 1
            model = "down" if self._flaky % 2 else "fine"
        if model in ROWS:
            row = ROWS[model]
            return StreamingResponse(_sent(row.sends), row.status, dict(row.headers))
        own = {"endless": self._endless, "waiting": self._waiting}
        parts = own[model]() if model in own else _sent(FORMS[model])
        return StreamingResponse(parts, headers=EVENTS)

    async def _waiting(self) -> AsyncIterator[bytes]:
        async for chunk in _sent(whole("It is ", "on the hill.")):
            yield chunk
            while not self.go:  # noqa: ASYNC110 - it is set by a thread
                await asyncio.sleep(0.01)

    async def _endless(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield delta(content="and ")
                await asyncio.sleep(0.02)
        finally:
            self.left = True


async def _sent(parts: Parts) -> AsyncIterator[bytes]:
    before: bytes | float | str = 0.0
    for part in parts:
        if part == TEAR:
            raise OSError("the endpoint dies in the middle")
        while part == ENDLESS:
            await asyncio.sleep(before if isinstance(before, float) else 0.001)
            yield before if isinstance(before, bytes) else HILL[0]
        if isinstance(part, float):
            await asyncio.sleep(part)
        elif isinstance(part, bytes):
            yield part
        before = part


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Serve one."""
    made = Endpoint()
    app = Starlette(routes=[Route("/v1/chat/completions", made.complete, methods=["POST"])])
    with serving(app) as address:
        made.url = f"{address}/v1"
        yield made
