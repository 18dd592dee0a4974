"""
Receive one answer: its pieces, its times, and its usage.

Owns the clock and the limits on the whole answer. Latency is from the request to the first piece,
generation time from the first piece to the last, in whole milliseconds.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatapp.llm.base import Ending, ProviderError, cost, estimated_tokens

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from decimal import Decimal

    from chatapp.llm.base import Ask, Model
    from chatapp.llm.catalogue import Offer

_MOST_BYTES = 1_000_000
_SHOWN = 500
_TOKENS = 3
"""The fields of an ending with numbers of tokens come first."""
_CALLS = frozenset({"tool_calls", "function_call"})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, with its times and usage."""

    offer: Offer
    text: str
    ending: Ending
    cost_usd: Decimal | None
    latency_ms: int
    generation_time_ms: int


class Generation:
    """
    An answer that is being received.

    Args:
        offer: the model and its price.
        model: the adapter.
        ask: the request.
        most: the most seconds for the whole answer.
    """

    def __init__(self, offer: Offer, model: Model, ask: Ask, most: float) -> None:
        self.offer, self.ask = offer, ask
        self._model, self._most = model, most
        self._pieces: list[str] = []
        self._bytes = 0
        self._ending: Ending | None = None
        self._began = self._first = self._last = 0.0
        self._stopped = False
        self._waiting: asyncio.Timeout | None = None

    async def pieces(self) -> AsyncGenerator[str, None]:
        """
        Yield each piece; `answer` is available after the last.

        Raises:
            ProviderError: the answer is incomplete or has no text. `paid` then says whether it
                counts as usage.
        """
        self._began = time.monotonic()
        stream = self._model.stream(self.ask)
        try:
            while (piece := await self._next(stream)) is not None:
                yield piece
        finally:
            await stream.aclose()
        self._check()

    def stop(self) -> None:
        """End the answer now, with the text so far, and close the connection to the provider."""
        self._stopped = True
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(0)

    async def _next(self, stream: AsyncGenerator[str | Ending, None]) -> str | None:
        """Return the next piece within the remaining time; None after the last."""
        left = self._began + self._most - time.monotonic()
        try:
            # Not wait_for: that has a task of its own, which may outlive us on a hang-up.
            async with asyncio.timeout(0 if self._stopped else max(left, 0.0)) as self._waiting:
                piece = await anext(stream)
        except TimeoutError:
            if not self._stopped:
                raise ProviderError("timeout", "The model took too long to answer.") from None
            piece = Ending(finish_reason="stopped")
        finally:
            self._waiting = None
        if isinstance(piece, Ending):
            self._ending = piece
            return None
        self._last = time.monotonic()
        self._first = self._first or self._last
        self._pieces.append(piece)
        self._bytes += len(piece.encode())
        if self._bytes > _MOST_BYTES:
            raise ProviderError("broken", "The model's answer is too long.")
        return piece

    def _check(self) -> None:
        """Raise an error for an ending without an answer."""
        ending = self._ending or Ending()
        if ending.refusal:
            raise ProviderError("refusal", f"The model refused: {ending.refusal[:_SHOWN]}")
        if ending.finish_reason in _CALLS:
            raise ProviderError("broken", "The model called a tool, and was offered none.")
        if self._pieces:
            return
        if ending.finish_reason == "stopped":
            raise ProviderError("stopped", "The answer was stopped before anything had come.")
        if ending.finish_reason == "content_filter":
            raise ProviderError("refusal", "The provider's filter withheld the whole answer.")
        raise ProviderError("empty", "The model's answer is empty.")

    async def whole(self) -> Answer:
        """Wait for the whole answer."""
        async for _ in self.pieces():
            pass
        return self.answer

    @property
    def paid(self) -> bool:
        """Report whether it is paid, as far as is known: there is text, or a number of tokens."""
        ending = self._ending or Ending()
        told = any(tokens is not None for tokens in ending[:_TOKENS])
        return told or bool(self._pieces or ending.refusal)

    @property
    def tokens(self) -> int:
        """Return the tokens of prompt and answer by the provider's count, else an estimate."""
        ending = self._ending or Ending()
        texts = [*(turn.content for turn in self.ask.turns), *self._pieces]
        counted = (ending.prompt_tokens, ending.completion_tokens)
        known = sum(one for one in counted if one is not None)
        return known if None not in counted else sum(map(estimated_tokens, texts))

    @property
    def answer(self) -> Answer:
        """Return the answer so far."""
        ending = self._ending or Ending()
        return Answer(
            offer=self.offer,
            text="".join(self._pieces),
            ending=ending,
            cost_usd=cost(ending, self.offer.price),
            latency_ms=round(max(self._first - self._began, 0.0) * 1000),
            generation_time_ms=round((self._last - self._first) * 1000),
        )
