"""
A small endpoint that speaks OpenAI's chat completions, and fails as real ones do.

What it does is chosen by the model that is asked for; what it was sent is kept.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.chat.serving import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request

REFUSALS = {"busy": 429, "down": 500, "unknown": 404, "refusing": 400, "locked": 401}
ANSWERS = {
    "fine": ["It is ", "on the hill."],
    "empty": [],
    "fenced": ["```json\n", '{"city": "Kraków"}', "\n```"],
    "chatty": ["Sure! ", '{"city": "Kraków"}'],
    "xml": ["<city>", "Kraków</city>"],
    "bomb": ['<!DOCTYPE a [<!ENTITY b "c">]><a>', "&b;</a>"],
}
KEY = "sk-the-key-of-the-tests"
RUBBISH = {
    "nul": r'{"choices": [{"delta": {"content": "a\u0000b"}}]}',
    "half": r'{"choices": [{"delta": {"content": "\ud800"}}]}',
    "number": '{"choices": [{"delta": {"content": 5}}]}',
    "no-delta": '{"choices": [{"delta": null}]}',
    "words": '{"choices": "abc"}',
    "list": "[1, 2]",
    "long": '{"choices": [{"delta": {"content": "%s"}}]}' % ("a" * 1_000_001),
}
"""Chunks that are JSON and mean nothing."""
ODD_USES = {
    "huge": {"prompt_tokens": 2**40, "completion_tokens": -1, "total_tokens": 10**30},
    "worded": {"prompt_tokens": "many", "completion_tokens": 1.5, "total_tokens": None},
}
"""Numbers of tokens that cannot be."""


class Endpoint:
    """What it was sent, and how often it has failed."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.url = ""
        self.left = False
        """Whether somebody hung up on it."""
        self.go = False
        """Whether the model "waiting" may go on behind its first piece."""
        self._flaky = 0

    async def complete(self, request: Request) -> Response:
        """Answer one request."""
        asked = await request.json()
        self.seen.append(asked)
        self.keys.add(request.headers.get("authorization"))
        model = asked["model"]
        if model == "flaky":
            self._flaky += 1
        status = 500 if model == "flaky" and self._flaky % 2 else REFUSALS.get(model)
        if status is not None:
            error = {"message": f"no, {KEY}", "code": "no"}
            headers = {"retry-after-ms": "1"}
            return JSONResponse({"error": error}, status, headers)
        own = {"endless": self._endless, "waiting": self._waiting}
        chunks = own[model]() if model in own else _chunks(model)
        return StreamingResponse(chunks, media_type="text/event-stream")

    async def _waiting(self) -> AsyncIterator[str]:
        async for chunk in _chunks("fine"):
            yield chunk
            while not self.go:  # noqa: ASYNC110 - it is set by a thread
                await asyncio.sleep(0.01)

    async def _endless(self) -> AsyncIterator[str]:
        try:
            while True:
                yield _chunk(choices=[{"index": 0, "delta": {"content": "and "}}])
                await asyncio.sleep(0.02)
        finally:
            self.left = True


async def _chunks(model: str) -> AsyncIterator[str]:
    if model in RUBBISH:
        yield f"data: {RUBBISH[model]}\n\n"
    if model == "silent":
        await asyncio.sleep(60)
    named = {"id": "a\0b"} if model in ODD_USES else {}
    for piece in ANSWERS.get(model, ANSWERS["fine"]):
        yield _chunk(choices=[{"index": 0, "delta": {"content": piece}}], **named)
        if model == "slow":
            await asyncio.sleep(0.6)
        if model == "torn":
            raise OSError("the endpoint dies in the middle")
        if model == "garbled":
            yield "data: {nonsense\n\n"
    used: object = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 20}
    used = ODD_USES.get(model, None if model == "mute" else used)
    yield _chunk(choices=[], usage=used, **named)
    yield "data: [DONE]\n\n"


def _chunk(**facts: Any) -> str:  # noqa: ANN401 - JSON
    usual = {"id": "gen-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**usual, **facts})}\n\n"


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Serve one."""
    made = Endpoint()
    app = Starlette(routes=[Route("/v1/chat/completions", made.complete, methods=["POST"])])
    with serving(app) as address:
        made.url = f"{address}/v1"
        yield made
