"""
Which answer belongs to which question. Pure.

The schema has no link between the two. The id of an answer is derived from the id of its
question, so the answer is found by key, and two processes that answer one question cannot keep
two answers. Earlier releases gave answers random ids, and kept each right after its question:
there the answer is the next message, where that is an answer with a random id.

A message of an assistant without content is a bill: what a replaced answer came to, or one that
could not be kept. It counts as usage, and is neither listed nor sent.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chatapp.values import Message

_NAMESPACE = UUID("6f1c2f0e-3c0b-5a55-9d0b-5c6a5f0e7a11")
_DERIVED = 5
"""The version of the UUIDs that `uuid5` makes; random ones have another."""


def answer_id(question_id: UUID) -> UUID:
    """Derive the id of a question's answer."""
    return uuid5(_NAMESPACE, str(question_id))


def answers(messages: Sequence[Message]) -> dict[UUID, Message]:
    """
    Find the answers among messages of one conversation, by the ids of their questions.

    Args:
        messages: in the order of the conversation.
    """
    there = {message.id: message for message in messages}
    said = [message for message in messages if message.role != "system"]
    found = {
        first.id: second
        for first, second in pairwise(said)
        if (first.role, second.role) == ("user", "assistant") and second.id.version != _DERIVED
    }
    derived = {one.id: there.get(answer_id(one.id)) for one in said if one.role == "user"}
    return found | {question: answer for question, answer in derived.items() if answer}


def with_answer_ids(messages: Iterable[Message], found: dict[UUID, UUID]) -> list[Message]:
    """Messages, each question with the id of its answer where it has one."""
    return [replace(message, answer_id=found.get(message.id)) for message in messages]
