"""
The protocol of language models, and its values.

An adapter turns an `Ask` into pieces of text and one `Ending`, which it yields only if the provider
has reported the end of the answer. It records nothing, checks no answer, and raises only
`ProviderError` for faults on its side.
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
    """A role and a text, as sent to the model."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to a model."""

    model: str
    turns: tuple[Turn, ...]
    temperature: Decimal | None = None
    response_format: Format = "text"
    response_schema: str | None = None
    task: Task = "answer"


class Ending(NamedTuple):
    """The facts after the last piece; None where the provider does not report them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    """Not always the sum: providers include cached and reasoning tokens."""
    generation_id: str | None = None
    finish_reason: str = "stop"
    """Why the answer ended, in the provider's word; `stopped` where the service ended it."""
    refusal: str = ""
    """The model's refusal instead of an answer."""


def estimated_tokens(text: str) -> int:
    """Estimate the tokens of a text: one for four bytes, as in English."""
    return -(-len(text.encode()) // 4)


def can_be_kept(text: object) -> TypeGuard[str]:
    """Report whether UTF-8 and PostgreSQL can hold a text: no NUL, no lone surrogate."""
    if not isinstance(text, str) or "\0" in text:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in text)


class Model(Protocol):
    """An adapter for a provider."""

    def stream(self, ask: Ask) -> AsyncGenerator[str | Ending, None]:
        """
        Yield the pieces of an answer, the ending last.

        Raises:
            ProviderError: the provider failed.
        """
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


class ProviderError(Exception):
    """
    A provider failed.

    Args:
        trouble: the kind of failure.
        detail: a sentence for the client; never the provider's own text, which may contain parts
            of a key.
        retry_after: the seconds that the provider requests to wait.
    """

    def __init__(self, trouble: Trouble, detail: str, retry_after: int | None = None) -> None:
        super().__init__(trouble, detail, retry_after)
        self.trouble, self.detail, self.retry_after = trouble, detail, retry_after


class Price(Protocol):
    """The price of a model, in USD for a million tokens."""

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
    Return the cost of an answer in USD, to twelve places; None without price or tokens.

    Tokens that only the total includes are charged as completion, as reasoning tokens are.
    """
    if price is None or ending.prompt_tokens is None or ending.completion_tokens is None:
        return None
    total = ending.total_tokens or 0
    written = max(ending.completion_tokens, total - ending.prompt_tokens)
    dollars = (ending.prompt_tokens * price.prompt + written * price.completion) / _MILLION
    return dollars.quantize(_TWELVE_PLACES)
