"""
The model that needs no network and no key: the same answer to the same question, each time.

It understands nothing. It is there so that the whole service can be used, tested and shown
offline, with tokens, times and a stream like any other's.
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
    """Answers from what it is sent and nothing else."""

    async def stream(self, ask: Ask) -> AsyncGenerator[str | Ending, None]:
        """Answer word by word."""
        text = answer(ask)
        for piece in _PIECES.findall(text):
            yield piece
            await asyncio.sleep(0)
        yield _ending(ask, text)

    async def close(self) -> None:
        """Nothing to let go of."""


def answer(ask: Ask) -> str:
    """All of an answer."""
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
    """Without the characters that XML 1.0 cannot hold."""
    return re.sub(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", text)


def _ending(ask: Ask, text: str) -> Ending:
    sent = sum(len(turn.content.split()) for turn in ask.turns)
    written = len(text.split())
    name = hashlib.sha256(repr((ask, text)).encode()).hexdigest()[:16]
    return Ending(sent, written, sent + written, f"local-{name}")
