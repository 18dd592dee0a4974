"""
What is sent to a model: instructions, the active summary, what came after it, the question. Pure.

A summary replaces the messages that it covers, never the instructions. One that no longer
says how far it reaches replaces nothing, and is not sent.

With a question go the exchanges before it, in the order in which their answers came, each
question right before its answer. A question without an answer is not sent with another: what
failed is not asked a second time in passing, what is being answered at the same time is not
seen, and turns alternate, as some models insist. A summary is made of all that was said, open
questions included.
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
"""What is read and sent at once; beyond that a summary has to stand for the beginning."""
_SUMMARISE = (
    "Summarise the conversation below for yourself, so that it can go on without it. Keep names, "
    "numbers, decisions and open questions. Write no more than is needed."
)
_EARLIER = "Summary of the conversation so far:\n\n"


def usable(summary: Summary | None) -> Summary | None:
    """The summary, where it says how far it reaches."""
    return summary if summary is not None and summary.last_message_id is not None else None


def is_too_long(messages: Sequence[Message]) -> bool:
    """Whether it is more than is read and sent at once."""
    return len(messages) > MOST_MESSAGES or sum(map(_bytes, messages)) > MOST_BYTES


def tokens(turns: Iterable[Turn], messages: Iterable[Message] = ()) -> int:
    """
    About how many tokens are sent.

    Args:
        turns: what is sent; four bytes are taken for a token.
        messages: those that are among it: of an answer the provider has counted the tokens. Its
            number counts where it can be one of the text alone, without any reasoning.
    """
    counted = {one.content: one.completion_tokens for one in messages if one.completion_tokens}
    return sum(_tokens(turn.content, counted.get(turn.content)) for turn in turns)


def _tokens(text: str, counted: int | None) -> int:
    possible = counted is not None and counted <= len(text.encode())
    return counted if counted is not None and possible else estimated_tokens(text)


def _bytes(message: Message) -> int:
    return len(message.content.encode())


def question_turns(
    conversation: Conversation,
    summary: Summary | None,
    messages: Sequence[Message],
    question: Message,
) -> tuple[Turn, ...]:
    """
    What is sent for a question.

    Args:
        conversation: whose form the answer has.
        summary: a usable one, or none.
        messages: all instructions, and what came after the summary; the question may be there.
        question: what is asked now, as the last turn; an answer that it has is left out.
    """
    form = instruction(conversation.response_format, conversation.response_schema)
    told = [message.content for message in messages if message.role == "system"]
    system = [*told, *([form] if form else []), *_earlier(summary)]
    return (
        *(Turn("system", text) for text in system),
        *_exchanged(messages, question),
        Turn("user", question.content),
    )


def summary_turns(summary: Summary | None, messages: Sequence[Message]) -> tuple[Turn, ...]:
    """
    What is sent for a summary: the one before it stands for what that covers.

    Args:
        summary: a usable one that ends before the messages, or none.
        messages: what the new one has to cover beyond it.
    """
    earlier = (Turn("system", text) for text in _earlier(summary))
    said = (Turn(one.role, one.content) for one in messages if one.role != "system")
    return (Turn("system", _SUMMARISE), *earlier, *said)


def _earlier(summary: Summary | None) -> list[str]:
    return [] if summary is None else [f"{_EARLIER}{summary.summary}"]


def _exchanged(messages: Sequence[Message], now: Message) -> Iterator[Turn]:
    """What was asked and answered; an answer stands alone where its question was deleted."""
    questions = {message.id: message for message in messages if message.role == "user"}
    asked = {answer.id: questions[one] for one, answer in answers(messages).items()}
    for message in messages:
        question = asked.get(message.id)
        if message.role == "assistant" and (question is None or question.id != now.id):
            if question is not None:
                yield Turn("user", question.content)
            yield Turn("assistant", message.content)
