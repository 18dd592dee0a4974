"""What the service keeps, as frozen values: a field for each column. Nothing here does anything."""

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
    """Who is talking; name and address are folded."""

    id: UUID
    username: str
    email: str
    password_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """What somebody talks about, and the form that answers have."""

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
    """What was said; all from `model` on is None for what no model wrote."""

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
    """No column: found by `exchanges` for what a user asked, None where there is no answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, both kept."""

    question: Message
    answer: Message
    finish_reason: str | None = None
    """Why the answer ended; None where the answer was kept earlier, for no column has it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands for the beginning of a conversation, up to its last message."""

    id: UUID
    conversation_id: UUID
    summary: str
    last_message_id: UUID | None
    """None once that message was deleted: how far it reaches is not known then."""
    usage_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """What the answers of one day (UTC), model and provider came to."""

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
