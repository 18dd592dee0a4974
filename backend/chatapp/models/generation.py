"""
One answer while it comes: its pieces, its times, and what it came to.

Owns the clock and the bounds on the whole. Latency is from the request to the first piece,
generation time from the first piece to the last, in whole milliseconds.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatapp.models.base import Ending, ProviderError, cost

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from decimal import Decimal

    from chatapp.models.base import Ask, Model
    from chatapp.models.catalogue import Offer

_MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and what it took."""

    offer: Offer
    text: str
    ending: Ending
    cost_usd: Decimal | None
    latency_ms: int
    generation_time_ms: int


class Generation:
    """
    An answer in the making.

    Args:
        offer: who answers.
        model: through what.
        ask: what is asked.
        most: seconds that the whole may take.
    """

    def __init__(self, offer: Offer, model: Model, ask: Ask, most: float) -> None:
        self.offer, self.ask = offer, ask
        self._model, self._most = model, most
        self._pieces: list[str] = []
        self._length = 0
        self._ending = Ending()
        self._began = self._first = self._last = 0.0

    async def pieces(self) -> AsyncGenerator[str, None]:
        """
        Each piece as it comes; `answer` is there after the last.

        Raises:
            ProviderError: it did not come to an end.
        """
        self._began = time.monotonic()
        stream = self._model.stream(self.ask)
        try:
            while (piece := await self._next(stream)) is not None:
                yield piece
        finally:
            await stream.aclose()
        if not self._pieces:
            raise ProviderError("broken", "The model's answer is empty.")

    async def _next(self, stream: AsyncGenerator[str | Ending, None]) -> str | None:
        """One more piece within the time that is left; None behind the last."""
        left = self._began + self._most - time.monotonic()
        try:
            # Not wait_for: that has a task of its own, which may outlive us on a hang-up.
            async with asyncio.timeout(max(left, 0.0)):
                piece = await anext(stream, None)
        except TimeoutError:
            raise ProviderError("timeout", "The model took too long to answer.") from None
        if isinstance(piece, str):
            self._last = time.monotonic()
            self._first = self._first or self._last
            self._pieces.append(piece)
            self._length += len(piece)
            if self._length > _MOST_CHARACTERS:
                raise ProviderError("broken", "The model's answer is too long.")
            return piece
        self._ending = piece or self._ending
        return None

    async def whole(self) -> Answer:
        """Wait for all of it."""
        async for _ in self.pieces():
            pass
        return self.answer

    @property
    def answer(self) -> Answer:
        """What it came to."""
        return Answer(
            offer=self.offer,
            text="".join(self._pieces),
            ending=self._ending,
            cost_usd=cost(self._ending, self.offer.price),
            latency_ms=round((self._first - self._began) * 1000),
            generation_time_ms=round((self._last - self._first) * 1000),
        )
