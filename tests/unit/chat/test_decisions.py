"""What the chat service decides without the world: names, pages, prices, prompts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.exchanges import answer_id
from chatapp.identity import fold
from chatapp.llm.base import Ask, Ending, Turn, cost
from chatapp.llm.bounds import retry_after
from chatapp.llm.catalogue import make_catalogue
from chatapp.llm.local import answer
from chatapp.pagination import Cursor, encode, read, rows_that_fit
from chatapp.prompt import question_turns, summary_turns, tokens, usable
from chatapp.settings import Price, Settings
from chatapp.values import Conversation, Message, Role, Summary

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PRICE = Price(prompt=Decimal("0.15"), completion=Decimal("0.60"))


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("Ada", "ada"),
        ("STRASSE", fold("straße")),
        ("\u212bngström", "ångström"),
        ("\ufb03", "ffi"),
    ],
)
def test_names_are_folded(given_name: str, kept: str) -> None:
    """Names that people take for the same are the same."""
    assert fold(given_name) == kept
    assert fold(kept) == kept


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_cursors_are_read_as_they_were_written(at: datetime, row: UUID) -> None:
    """A cursor comes back as the place it was."""
    assert read(encode(Cursor(at, row))) == Cursor(at, row)


@given(st.text(alphabet="abcXYZ019-_", max_size=80))
def test_other_texts_are_no_cursors(text: str) -> None:
    """Any other text is refused in one way."""
    with pytest.raises(ValueError):  # noqa: PT011 - whichever part it is that cannot be read
        read(text)


@pytest.mark.parametrize(
    ("ending", "dollars"),
    [
        (Ending(1_000_000, 0, 1_000_000), "0.15"),
        (Ending(0, 1_000_000, 1_000_000), "0.60"),
        (Ending(1, 1, 2), "0.00000075"),
        (Ending(10, 5, 40), "0.0000195"),  # 25 tokens of reasoning are paid as completion
        (Ending(10, 5, None), "0.0000045"),
    ],
)
def test_the_cost_of_an_answer(ending: Ending, dollars: str) -> None:
    """A cost is exact, to twelve places."""
    assert cost(ending, PRICE) == Decimal(dollars)


def test_a_cost_that_is_not_known() -> None:
    """Without a price, or without tokens, there is none."""
    assert (cost(Ending(1, 1, 2), None), cost(Ending(), PRICE)) == (None, None)


def conversation(**facts: object) -> Conversation:
    """A conversation; text unless it is said otherwise."""
    usual = {"title": None, "response_format": "text", "response_schema": None}
    times = {"created_at": NOW, "updated_at": NOW, "active_summary_id": None}
    return Conversation(id=uuid4(), user_id=uuid4(), **{**usual, **times, **facts})  # type: ignore[arg-type]


def message(role: Role, content: str) -> Message:
    """A message that no model wrote."""
    return Message(uuid4(), uuid4(), role, content, NOW, *[None] * 10)


def summary(last: UUID | None) -> Summary:
    """A summary up to a message."""
    return Summary(uuid4(), uuid4(), "They greeted.", last, 0, NOW)


SAID = [message("system", "Be brief."), message("user", "Hi"), message("assistant", "Hello")]


def test_what_is_sent_for_a_question() -> None:
    """Instructions, form, summary, what was said, and the question at the end."""
    turns = question_turns(
        conversation(response_format="xml"), summary(uuid4()), SAID, message("user", "And?")
    )

    assert [turn.role for turn in turns] == ["system"] * 3 + ["user", "assistant", "user"]
    assert (turns[0].content, turns[-1]) == ("Be brief.", Turn("user", "And?"))
    assert "XML" in turns[1].content
    assert turns[2].content.endswith("They greeted.")


def exchanged(question: str, answer: str) -> list[Message]:
    """A question and its answer, as they are kept now."""
    asked = message("user", question)
    return [asked, replace(message("assistant", answer), id=answer_id(asked.id))]


def test_exchanges_are_sent_in_pairs() -> None:
    """Each question is sent right before its answer, in the order in which the answers came."""
    (first, late), (second, early) = exchanged("1?", "1."), exchanged("2?", "2.")
    lone = message("user", "Never answered")
    now = message("user", "And?")
    turns = question_turns(conversation(), None, [first, second, lone, early, late, now], now)

    assert [turn.content for turn in turns] == ["2?", "2.", "1?", "1.", "And?"]
    assert [turn.role for turn in turns] == ["user", "assistant"] * 2 + ["user"]


def test_the_answer_that_is_replaced_is_not_sent() -> None:
    """A question that is asked again is sent once, and without the answer it has."""
    question, answer_ = exchanged("1?", "1.")

    assert question_turns(conversation(), None, [question, answer_], question) == (
        Turn("user", "1?"),
    )


@pytest.mark.parametrize(("counted", "tokens_"), [(None, 3), (4, 4), (4_000, 3)])
def test_tokens_are_counted_or_estimated(counted: int | None, tokens_: int) -> None:
    """The provider's number is taken where it can be that of the text; else four bytes are one."""
    said = replace(message("assistant", "twelve bytes"), completion_tokens=counted)

    assert tokens([Turn("assistant", said.content)], [said]) == tokens_


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("999999999", 86_400),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
    ],
)
def test_how_long_a_provider_asks_to_wait(told: str, seconds: int | None) -> None:
    """Seconds or a date, between a second and a day; anything else says nothing."""
    assert retry_after(httpx2.Headers({"retry-after": told})) == seconds


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 10), st.integers(0, 100))
def test_a_page_has_a_bound(sizes: list[int], limit: int, most: int) -> None:
    """As many rows as fit in number and size, and one at least."""
    taken = rows_that_fit(sizes, limit, most, int)

    assert 1 <= taken <= max(limit, 1)
    assert taken == 1 or sum(sizes[:taken]) <= most
    assert taken in {limit, len(sizes)} or sum(sizes[: taken + 1]) > most


def test_what_is_sent_for_a_summary() -> None:
    """The task, the summary before it, and what came after; no instructions of the conversation."""
    turns = summary_turns(summary(uuid4()), SAID)

    assert [turn.role for turn in turns] == ["system", "system", "user", "assistant"]
    assert "Be brief." not in str(turns)


def test_a_summary_that_does_not_say_how_far_it_reaches() -> None:
    """It cannot replace anything."""
    assert (usable(summary(None)), usable(None)) == (None, None)


def test_the_local_model_without_a_question() -> None:
    """Even without anybody having said anything there is an answer."""
    assert answer(Ask("local-1", ())) == "You said:  (I was sent 0 messages.)"


def chosen(provider: str | None, model: str | None, default: str = "openai") -> str | None:
    """Who answers, where the local model and two others are offered."""
    given_settings = {"database_url": "postgresql://h/d", "token_secret": "x" * 32}
    models = {"large": PRICE, "small": None}
    settings = Settings.model_validate(
        {**given_settings, "openai_models": models, "provider": default}
    )
    found = make_catalogue(settings).choose(provider, model)
    return f"{found[0].provider} {found[0].model}" if found else None


@pytest.mark.parametrize(
    ("provider", "model", "who"),
    [
        (None, None, "openai large"),
        ("local", None, "local local-1"),
        (None, "small", "openai small"),
        (None, "local-1", "local local-1"),
        ("openai", "local-1", None),
        ("nobody", None, None),
    ],
)
def test_who_answers(provider: str | None, model: str | None, who: str | None) -> None:
    """A request may name provider, model, both or neither."""
    assert chosen(provider, model) == who


def test_a_default_that_serves_nothing() -> None:
    """A service whose default provider has no model does not start."""
    with pytest.raises(ValueError, match="CHAT_PROVIDER is 'nobody'"):
        chosen(None, None, default="nobody")
