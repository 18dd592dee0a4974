"""
A local model without network and key: it gives the same answer to the same question.

It understands nothing. With it the whole service can be used, tested and demonstrated offline, with
tokens, times and a stream like those of any other model.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING

from chatapp.llm.base import Ending
from chatapp.llm.instances import json_instance, xml_instance

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chatapp.llm.base import Ask, Turn

NAME = "local"
MODEL = "local-1"
_QUOTED = 200
_NOTE = 60
_PIECES = re.compile(r"\s*\S+|\s+\Z")


class LocalModel:
    """A model that answers from the request alone."""

    async def stream(self, ask: Ask) -> AsyncGenerator[str | Ending, None]:
        """Yield the answer word by word."""
        text = answer(ask)
        for piece in _PIECES.findall(text):
            yield piece
            await asyncio.sleep(0)
        yield _ending(ask, text)

    async def close(self) -> None:
        """Close nothing."""


def answer(ask: Ask) -> str:
    """Return the whole answer."""
    if ask.task == "summary":
        return _summary(ask.turns)
    said = [turn for turn in ask.turns if turn.role == "user"]
    last = said[-1].content if said else ""
    text = f"You said: {_cut(last, _QUOTED)} (I was sent {len(ask.turns)} messages.)"
    if ask.response_format == "json":
        return json_instance(ask.response_schema, text)
    if ask.response_format == "xml":
        return xml_instance(ask.response_schema, _sayable(text))
    return text


def _summary(turns: tuple[Turn, ...]) -> str:
    notes = "; ".join(f"{turn.role}: {_cut(turn.content, _NOTE)}" for turn in turns[1:])
    return f"So far {len(turns) - 1} messages. {notes}"


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _sayable(text: str) -> str:
    """Remove the characters that XML 1.0 cannot hold."""
    return re.sub(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", text)


def _ending(ask: Ask, text: str) -> Ending:
    sent = sum(len(turn.content.split()) for turn in ask.turns)
    written = len(text.split())
    name = hashlib.sha256(repr((ask, text)).encode()).hexdigest()[:16]
    return Ending(sent, written, sent + written, f"local-{name}")
