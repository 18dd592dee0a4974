"""
Match answers to questions. Pure.

The schema has no link between the two. The id of an answer is derived from the id of its question,
so the answer is found by key, and two processes that answer one question cannot store two answers.
Earlier releases gave answers random ids and stored each directly after its question: there the
answer is the next message, if it is an answer with a random id.

An assistant's message without content is a bill: the usage of a replaced answer, or of one that
could not be stored. It counts as usage, and is neither listed nor sent.
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
"""The version of the UUIDs that `uuid5` creates; random ones have another."""


def answer_id(question_id: UUID) -> UUID:
    """Derive the id of a question's answer."""
    return uuid5(_NAMESPACE, str(question_id))


def answers(messages: Sequence[Message]) -> dict[UUID, Message]:
    """
    Find the answers among messages of one conversation, by the ids of their questions.

    Args:
        messages: in the order of the conversation.
    """
    by_id = {message.id: message for message in messages}
    turns = [message for message in messages if message.role != "system"]
    adjacent = {
        first.id: second
        for first, second in pairwise(turns)
        if (first.role, second.role) == ("user", "assistant") and second.id.version != _DERIVED
    }
    derived = {one.id: by_id.get(answer_id(one.id)) for one in turns if one.role == "user"}
    return adjacent | {question: answer for question, answer in derived.items() if answer}


def with_answer_ids(messages: Iterable[Message], adjacent: dict[UUID, UUID]) -> list[Message]:
    """Return messages with the answer id set on each answered question."""
    return [replace(message, answer_id=adjacent.get(message.id)) for message in messages]
