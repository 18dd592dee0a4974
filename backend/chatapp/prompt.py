"""
Compose what is sent to a model: instructions, active summary, later messages, question. Pure.

A summary replaces the messages that it covers, never the instructions. A summary whose last
message was deleted replaces nothing, and is not sent.

A question is sent with the exchanges before it, in the order of their answers, each question
directly before its answer. Other unanswered questions are not sent: a failed question is not asked
again with the next one, a question that is being answered at the same time is not visible, and
turns alternate, which some models require. A summary is made of all messages, unanswered questions
included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatapp.exchanges import answers
from chatapp.llm import Turn, estimated_tokens
from chatapp.response_formats import instruction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chatapp.values import Conversation, Message, Summary

MOST_MESSAGES = 1_000
MOST_BYTES = 2_000_000
"""The most that is read and sent at once; a longer conversation needs a summary."""
_SUMMARISE = (
    "Summarise the conversation below for yourself, so that it can go on without it. Keep names, "
    "numbers, decisions and open questions. Write no more than is needed."
)
_EARLIER = "Summary of the conversation so far:\n\n"


def usable(summary: Summary | None) -> Summary | None:
    """Return the summary if its last message still exists; else None."""
    return summary if summary is not None and summary.last_message_id is not None else None


def is_too_long(messages: Sequence[Message]) -> bool:
    """Report whether there are more messages or bytes than are sent at once."""
    return len(messages) > MOST_MESSAGES or sum(map(_bytes, messages)) > MOST_BYTES


def tokens(turns: Iterable[Turn], messages: Iterable[Message] = ()) -> int:
    """
    Estimate the number of tokens that are sent.

    Args:
        turns: what is sent; four bytes are estimated as a token.
        messages: the messages among the turns. The provider has counted the tokens of an answer;
            its number is used if it can be that of the text alone, without reasoning.
    """
    counted = {one.content: one.completion_tokens for one in messages if one.completion_tokens}
    return sum(_tokens(turn.content, counted.get(turn.content)) for turn in turns)


def _tokens(text: str, counted: int | None) -> int:
    is_plausible = counted is not None and counted <= len(text.encode())
    return counted if counted is not None and is_plausible else estimated_tokens(text)


def _bytes(message: Message) -> int:
    return len(message.content.encode())


def question_turns(
    conversation: Conversation,
    summary: Summary | None,
    messages: Sequence[Message],
    question: Message,
) -> tuple[Turn, ...]:
    """
    Return what is sent for a question.

    Args:
        conversation: has the form of the answer.
        summary: a usable summary, or None.
        messages: all instructions, and the messages after the summary; may include the question.
        question: the last turn; its present answer is left out.
    """
    form = instruction(conversation.response_format, conversation.response_schema)
    instructions = [message.content for message in messages if message.role == "system"]
    system = [*instructions, *([form] if form else []), *_earlier(summary)]
    return (
        *(Turn("system", text) for text in system),
        *_exchange_turns(messages, question),
        Turn("user", question.content),
    )


def summary_turns(summary: Summary | None, messages: Sequence[Message]) -> tuple[Turn, ...]:
    """
    Return what is sent for a new summary, after an earlier one if there is one.

    Args:
        summary: a usable summary that ends before the messages, or None.
        messages: what the new summary covers in addition.
    """
    earlier = (Turn("system", text) for text in _earlier(summary))
    turns = (Turn(one.role, one.content) for one in messages if one.role != "system")
    return (Turn("system", _SUMMARISE), *earlier, *turns)


def _earlier(summary: Summary | None) -> list[str]:
    return [] if summary is None else [f"{_EARLIER}{summary.summary}"]


def _exchange_turns(messages: Sequence[Message], current: Message) -> Iterator[Turn]:
    """Yield questions with their answers; an answer alone where its question was deleted."""
    questions = {message.id: message for message in messages if message.role == "user"}
    questions_by_answer = {answer.id: questions[one] for one, answer in answers(messages).items()}
    for message in messages:
        question = questions_by_answer.get(message.id)
        if message.role == "assistant" and (question is None or question.id != current.id):
            if question is not None:
                yield Turn("user", question.content)
            yield Turn("assistant", message.content)
