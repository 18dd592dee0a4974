"""The rows that the service stores, as frozen values with a field for each column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal
    from uuid import UUID

Role = Literal["user", "assistant", "system"]
Format = Literal["text", "json", "xml"]


@dataclass(frozen=True, slots=True)
class User:
    """A user; name and address are folded."""

    id: UUID
    username: str
    email: str
    password_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation, and the form of its answers."""

    id: UUID
    user_id: UUID
    title: str | None
    response_format: Format
    response_schema: str | None
    active_summary_id: UUID | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """A message; the fields from `model` on are None unless a model wrote it."""

    id: UUID
    conversation_id: UUID
    role: Role
    content: str
    created_at: datetime
    model: str | None
    provider: str | None
    temperature: Decimal | None
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cost_usd: Decimal | None
    latency_ms: int | None
    generation_time_ms: int | None
    generation_id: str | None
    answer_id: UUID | None = None
    """Not a column: set by `exchanges` for a question that has an answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, both stored."""

    question: Message
    answer: Message
    finish_reason: str | None = None
    """Why the answer ended; None for an answer stored earlier, as no column has it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary that replaces the beginning of a conversation, up to `last_message_id`."""

    id: UUID
    conversation_id: UUID
    summary: str
    last_message_id: UUID | None
    """None once that message was deleted."""
    usage_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """The sums over the answers of one day (UTC), model and provider."""

    day: date
    model: str
    provider: str
    answers: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost_usd: Decimal
    average_latency_ms: int | None
    average_generation_time_ms: int | None
