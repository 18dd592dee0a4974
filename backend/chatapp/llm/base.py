"""
What every language model is to the service: one protocol, and the values that pass through it.

An adapter turns an `Ask` into pieces of text and one `Ending`, which it gives only where the
provider has said that the answer is over. It records nothing, checks no answer, and raises
`ProviderError` alone for what goes wrong on its side.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeGuard

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chatapp.values import Format, Role

Task = Literal["answer", "summary"]
Trouble = Literal[
    "unreachable", "timeout", "busy", "refused", "broken", "too-long", "refusal", "empty", "stopped"
]

_MILLION = Decimal(1_000_000)
_TWELVE_PLACES = Decimal("1E-12")


class Turn(NamedTuple):
    """Who said what, as it is sent."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What a model is asked for."""

    model: str
    turns: tuple[Turn, ...]
    temperature: Decimal | None = None
    response_format: Format = "text"
    response_schema: str | None = None
    task: Task = "answer"


class Ending(NamedTuple):
    """What is known when the last piece has come; None where the provider does not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    """Not always the sum: providers count cached and reasoning tokens in it."""
    generation_id: str | None = None
    finish_reason: str = "stop"
    """Why the answer ended, in the provider's word; `stopped` where we ended it."""
    refusal: str = ""
    """What the model said instead of an answer."""


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: one for four bytes, as English has."""
    return -(-len(text.encode()) // 4)


def can_be_kept(text: object) -> TypeGuard[str]:
    """Whether it is text that UTF-8 and PostgreSQL hold: no NUL, no half of a character."""
    if not isinstance(text, str) or "\0" in text:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in text)


class Model(Protocol):
    """A provider's way of answering."""

    def stream(self, ask: Ask) -> AsyncGenerator[str | Ending, None]:
        """
        Answer piece by piece, the ending last.

        Raises:
            ProviderError: it cannot.
        """
        ...

    async def close(self) -> None:
        """Let go of its connections."""
        ...


class ProviderError(Exception):
    """
    A provider does not answer.

    Args:
        trouble: of which kind.
        detail: a sentence for whoever asked; never the provider's own text, which may hold
            parts of a key.
        retry_after: the seconds that the provider asks to wait.
    """

    def __init__(self, trouble: Trouble, detail: str, retry_after: int | None = None) -> None:
        super().__init__(trouble, detail, retry_after)
        self.trouble, self.detail, self.retry_after = trouble, detail, retry_after


class Price(Protocol):
    """What a model costs, in USD for a million tokens."""

    @property
    def prompt(self) -> Decimal:
        """For what is sent."""
        ...

    @property
    def completion(self) -> Decimal:
        """For what comes back."""
        ...


def cost(ending: Ending, price: Price | None) -> Decimal | None:
    """
    What an answer cost in USD, to twelve places; None where price or tokens are not known.

    What the total counts beyond the two is charged as completion: so reasoning tokens are.
    """
    if price is None or ending.prompt_tokens is None or ending.completion_tokens is None:
        return None
    total = ending.total_tokens or 0
    written = max(ending.completion_tokens, total - ending.prompt_tokens)
    dollars = (ending.prompt_tokens * price.prompt + written * price.completion) / _MILLION
    return dollars.quantize(_TWELVE_PLACES)
