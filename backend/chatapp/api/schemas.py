"""The schemas of requests and responses, with the examples of the API's documentation."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints

from chatapp.values import Format, Role

_NO_NUL = r"^[^\x00]*$"
"""PostgreSQL's text holds every character except this one."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=32_000, pattern=_NO_NUL)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NO_NUL)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=254, pattern=_NO_NUL)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Password = Annotated[str, StringConstraints(min_length=8, max_length=128)]


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


Money = Annotated[Decimal, PlainSerializer(_plain, return_type=str)]
"""USD, as text so that no digit is lost."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class _Told(BaseModel):
    model_config = ConfigDict(from_attributes=True, protected_namespaces=())


class Registration(_Asked):
    """A new user; name and address are stored case-folded."""

    username: str = Field(pattern=r"^[A-Za-z0-9_.-]{3,32}$", examples=["ada"])
    email: str = Field(
        max_length=254,
        pattern=r"^[^@\s\x00]+@[^@\s\x00]+\.[^@\s\x00]+$",
        examples=["ada@example.org"],
    )
    password: Password = Field(examples=["correct horse battery"])


class Credentials(_Asked):
    """The credentials of a log-in, by name or address."""

    name: Name = Field(examples=["ada"])
    password: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(
        examples=["correct horse battery"]
    )


class PasswordChange(_Asked):
    """A new password, and the one that it replaces."""

    current: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(
        examples=["correct horse battery"]
    )
    new: Password = Field(examples=["staple correct horse"])


class Token(_Told):
    """The token for the header of each request: `Authorization: Bearer ACCESS_TOKEN`."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the kind, no secret
    expires_in: int = Field(description="Seconds.", examples=[3600])


class Account(_Told):
    """A user's account."""

    id: UUID
    username: str = Field(examples=["ada"])
    email: str = Field(examples=["ada@example.org"])
    created_at: datetime


class OfferedModel(_Told):
    """An available model; prices in USD for a million tokens."""

    provider: str = Field(examples=["local"])
    model: str = Field(examples=["local-1"])
    prompt_price: Money | None = Field(examples=["0"])
    completion_price: Money | None = Field(examples=["0"])


class NewConversation(_Asked):
    """A new conversation."""

    id: UUID | None = Field(None, description="A name of the client's own choice.")
    title: Title | None = Field(None, examples=["A trip to Kraków"])
    instructions: Text | None = Field(
        None, description="Kept as the first message, a system one.", examples=["Be brief."]
    )
    response_format: Format = Field("text", examples=["json"])
    response_schema: Text | None = Field(
        None,
        description="For json a JSON schema, for xml whatever describes it; sent as it is.",
        examples=[
            '{"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}'
        ],
    )


class ConversationChange(_Asked):
    """The changes; absent fields stay. The form cannot change after the first question."""

    title: Title | None = Field(None, examples=["A trip to Gdańsk"])
    response_format: Format | None = Field(None, examples=["text"])
    response_schema: Text | None = None


class Conversation(_Told):
    """A conversation."""

    id: UUID
    title: str | None = Field(examples=["A trip to Kraków"])
    response_format: Format
    response_schema: str | None
    active_summary_id: UUID | None
    created_at: datetime
    updated_at: datetime = Field(description="When something was last said in it.")


class ConversationPage(_Told):
    """A page of conversations, newest first."""

    items: list[Conversation]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class NewMessage(_Asked):
    """A question."""

    content: Text = Field(examples=["Where is the castle?"])
    id: UUID | None = Field(
        None,
        description=(
            "A name of the client's own choice. Asking again under it gives the answer that was "
            "kept, or answers the question where it has none."
        ),
    )
    model: ModelName | None = Field(None, examples=["local-1"])
    provider: ModelName | None = Field(None, examples=["local"])
    temperature: float | None = Field(None, ge=0, le=2, examples=[0.7])


class Regeneration(_Asked):
    """The model for another answer to the newest question."""

    model: ModelName | None = Field(None, examples=["local-1"])
    provider: ModelName | None = Field(None, examples=["local"])
    temperature: float | None = Field(None, ge=0, le=2, examples=[0.7])


class Message(_Told):
    """A message. The fields from `model` on are null unless a model wrote it."""

    id: UUID
    role: Role
    content: str
    created_at: datetime
    model: str | None
    provider: str | None
    temperature: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cost_usd: Money | None = Field(description="USD, as text so that no digit is lost.")
    latency_ms: int | None = Field(description="From the request to the first piece.")
    generation_time_ms: int | None = Field(description="From the first piece to the last.")
    generation_id: str | None = Field(description="The provider's name for the answer.")
    answer_id: UUID | None = Field(
        description="Of a question: its answer, null while there is none. Null for the others."
    )


class Exchange(_Told):
    """A question and its answer."""

    question: Message
    answer: Message
    finish_reason: str | None = Field(
        description=(
            "Why the answer ended: `stop`, `length`, `content_filter`, `stopped`, or another word "
            "of the provider's. Null where the answer was kept by an earlier request."
        ),
        examples=["stop"],
    )


class MessagePage(_Told):
    """A page of messages, oldest first."""

    items: list[Message]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class NewSummary(_Asked):
    """A new summary; it becomes the active one."""

    up_to: UUID | None = Field(None, description="The last message to cover; null for the last.")
    model: ModelName | None = Field(None, examples=["local-1"])
    provider: ModelName | None = Field(None, examples=["local"])


class Summary(_Told):
    """A summary that is sent instead of the beginning of a conversation."""

    id: UUID
    summary: str
    last_message_id: UUID | None = Field(description="Null once that message was deleted.")
    usage_count: int = Field(description="How many answers it was sent for.")
    created_at: datetime


class ActiveSummary(_Asked):
    """The active summary of a conversation; null for none."""

    summary_id: UUID | None


class DayUsage(_Told):
    """The sums over the answers of one day (UTC), model and provider."""

    day: date
    model: str
    provider: str
    answers: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost_usd: Money
    average_latency_ms: int | None
    average_generation_time_ms: int | None


class UsageReport(_Told):
    """The usage between two days, both included."""

    since: date
    until: date
    cost_usd: Money
    days: list[DayUsage]


class SchemaAttempt(_Told):
    """An attempt to change the schema."""

    version: int | None = Field(examples=[7])
    title: str = Field(examples=["add_conversation_summaries"])
    direction: str = Field(
        description="up, down, or what was recorded without running anything.", examples=["up"]
    )
    outcome: str = Field(
        description="done, failed, running, empty, not reverted, or unknown.", examples=["done"]
    )
    started: datetime
    finished: datetime | None


class SchemaState(_Told):
    """The state of the schema."""

    version: int | None = Field(
        description="The version that the database is at; null before the first.", examples=[7]
    )
    dirty: bool = Field(description="Whether a run began and its end is not known.")
    state: str = Field(
        description="current, behind, ahead or dirty; else what a version is that is not as it "
        "should be, such as edited, out of order or missing.",
        examples=["current"],
    )
    attempts: list[SchemaAttempt] = Field(description="The newest 50, newest first.")


class Fault(_Told):
    """An invalid part of a request."""

    at: str = Field(examples=["body/content"])
    detail: str


class ProblemDetails(_Told):
    """Problem details (RFC 9457)."""

    type: str = Field(examples=["urn:chatapp:problem:not-found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no such conversation of yours."])
    retry_after: int | None = Field(None, description="Seconds, as in the header Retry-After.")
    errors: list[Fault] | None = None
