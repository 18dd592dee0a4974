"""Summaries: what they replace, how they go on from each other, which one is active."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.chat.endpoint import KEY, endpoint
from tests.chat.serving import chat, until

if TYPE_CHECKING:
    from tests.chat.serving import Client
    from tests.servers import Database


@pytest.fixture
def talk(ada: Client) -> tuple[Client, str, list[Any]]:
    """Hold a conversation of two exchanges with instructions; return user, id and messages."""
    path = ada.conversation(instructions="Be brief.")
    kept = [ada("POST", f"{path}/messages", content=text) for text in ("First?", "Second?")]
    return ada, path, kept


def sent(who: Client, path: str) -> str:
    """How many messages a question is sent with, as the local model says it."""
    answer = who("POST", f"{path}/messages", content="?")["answer"]["content"]
    return str(answer).partition("(I was sent ")[2]


def test_the_active_summary_replaces_what_it_covers(talk: tuple[Client, str, list[Any]]) -> None:
    """Instructions, the summary and the question are sent, in place of four messages."""
    ada, path, kept = talk
    made = ada("POST", f"{path}/summaries")

    assert (made["_"], made["last_message_id"]) == (201, kept[1]["answer"]["id"])
    assert ada("GET", path)["active_summary_id"] == made["id"]
    assert sent(ada, path) == "3 messages.)"


def test_up_to_a_message(talk: tuple[Client, str, list[Any]]) -> None:
    """What comes after the last message that it covers is still sent."""
    ada, path, kept = talk
    made = ada("POST", f"{path}/summaries", up_to=kept[0]["answer"]["id"])

    assert "Second?" not in made["summary"]
    assert sent(ada, path) == "5 messages.)"


def test_a_conversation_that_is_too_long(ada: Client, chat_database: Database) -> None:
    """More than a thousand messages are not sent at once; step by step they can be summarised."""
    path = ada.conversation()
    [(*ids,)] = chat_database.psql(
        "WITH said AS (INSERT INTO messages (conversation_id, role, content) "
        f"SELECT '{path.rpartition('/')[2]}', 'user', 'x' FROM generate_series(1, 1500) "
        "RETURNING id, created_at), places AS (SELECT id::text, "
        "row_number() OVER (ORDER BY created_at, id) AS place FROM said) "
        "SELECT max(id) FILTER (WHERE place = 900), max(id) FILTER (WHERE place = 1500) FROM places"
    )
    question = ada("POST", f"{path}/messages", content="?")
    refused = [ada("POST", f"{path}/summaries", up_to=end) for end in (None, ids[1])]
    made = [ada("POST", f"{path}/summaries", up_to=end)["_"] for end in ids]

    assert {one["type"] for one in (question, *refused)} == {"urn:chatapp:problem:too-long"}
    assert (made, sent(ada, path)) == ([201, 201], "2 messages.)")


def test_each_use_is_counted(talk: tuple[Client, str, list[Any]]) -> None:
    """A summary says how many answers it was sent for."""
    ada, path, _ = talk
    ada("POST", f"{path}/summaries")
    for _ in range(2):
        sent(ada, path)

    assert ada("GET", f"{path}/summaries")[0]["usage_count"] == 2


def test_the_next_is_made_of_the_one_before(talk: tuple[Client, str, list[Any]]) -> None:
    """A new summary is made of the active one and what came after, not of everything again."""
    ada, path, kept = talk
    ada("POST", f"{path}/summaries", up_to=kept[0]["answer"]["id"])
    second = ada("POST", f"{path}/summaries")
    newest, oldest = ada("GET", f"{path}/summaries")

    # The summary before, and the two messages after it.
    assert second["summary"].startswith("So far 3 messages. system: Summary of the conversation")
    assert (newest["id"], len(oldest["summary"]) > 0) == (second["id"], True)


def test_one_that_ends_earlier_is_made_anew(talk: tuple[Client, str, list[Any]]) -> None:
    """Up to a message that the active one covers already, the messages themselves are read."""
    ada, path, kept = talk
    ada("POST", f"{path}/summaries")
    earlier = ada("POST", f"{path}/summaries", up_to=kept[0]["question"]["id"])

    assert earlier["summary"] == "So far 1 messages. user: First?"


def test_nothing_to_summarise(ada: Client) -> None:
    """Without anything said, or anything said since, there is nothing to summarise."""
    path = ada.conversation(instructions="Be brief.")
    before = ada("POST", f"{path}/summaries")
    ada("POST", f"{path}/messages", content="Hello")
    statuses = [ada("POST", f"{path}/summaries")["_"] for _ in range(2)]

    assert (before["_"], before["type"]) == (409, "urn:chatapp:problem:nothing-to-summarise")
    assert statuses == [201, 409]


def test_up_to_a_message_that_is_not_there(
    talk: tuple[Client, str, list[Any]], bob: Client
) -> None:
    """A message of another conversation is none of this one's."""
    ada, path, _ = talk
    others = bob("POST", f"{bob.conversation()}/messages", content="Hello")["question"]["id"]

    assert ada("POST", f"{path}/summaries", up_to=others)["_"] == 404


def test_another_or_none_can_be_active(talk: tuple[Client, str, list[Any]]) -> None:
    """Any summary of the conversation can stand for its beginning, or none does."""
    ada, path, kept = talk
    first = ada("POST", f"{path}/summaries", up_to=kept[0]["answer"]["id"])
    ada("POST", f"{path}/summaries")
    back = ada("PUT", f"{path}/active-summary", summary_id=first["id"])
    none = ada("PUT", f"{path}/active-summary", summary_id=None)

    assert (back["active_summary_id"], none["active_summary_id"]) == (first["id"], None)
    assert sent(ada, path) == "6 messages.)"


def test_the_summary_of_another_conversation(
    talk: tuple[Client, str, list[Any]],
) -> None:
    """A conversation cannot have another's summary, one's own other one included."""
    ada, path, _ = talk
    made = ada("POST", f"{path}/summaries")
    refused = ada("PUT", f"{ada.conversation()}/active-summary", summary_id=made["id"])

    assert (refused["_"], refused["type"]) == (404, "urn:chatapp:problem:not-found")


def test_the_active_one_is_not_deleted(talk: tuple[Client, str, list[Any]]) -> None:
    """Deleting the active summary is refused; once another or none is active, it goes."""
    ada, path, _ = talk
    summary = f"{path}/summaries/{ada('POST', f'{path}/summaries')['id']}"
    refused = ada("DELETE", summary)
    ada("PUT", f"{path}/active-summary", summary_id=None)
    statuses = [ada("DELETE", summary)["_"] for _ in range(2)]

    assert (refused["_"], refused["type"]) == (409, "urn:chatapp:problem:summary-active")
    assert statuses == [204, 404]


def test_without_its_last_message_it_is_not_sent(talk: tuple[Client, str, list[Any]]) -> None:
    """A summary whose last message was deleted is not sent; the next is made of all."""
    ada, path, kept = talk
    ada("POST", f"{path}/summaries")
    ada("DELETE", f"{path}/messages/{kept[1]['answer']['id']}")
    left = ada("GET", f"{path}/summaries")[0]
    whole = sent(ada, path)
    again = ada("POST", f"{path}/summaries")

    assert (left["last_message_id"], left["usage_count"]) == (None, 0)
    # The question that lost its answer is not sent, and is part of the summary.
    assert (whole, again["summary"][:19]) == ("4 messages.)", "So far 5 messages. ")


def test_one_that_is_cut_is_not_kept(ada: Client, chat_database: Database) -> None:
    """A summary that the model did not end would leave out what came last."""
    with endpoint() as made:
        given = {"openai_base_url": made.url, "openai_api_key": KEY}
        with chat(chat_database.conninfo, openai_models={"length": None}, **given) as client:
            path = ada.conversation()
            ada("POST", f"{path}/messages", content="Hello")
            url, body = f"{path}/summaries", {"model": "length"}
            told = client.http.post(url, json=body, headers=ada.headers).json()

    assert (told["status"], told["type"]) == (502, "urn:chatapp:problem:provider-broken")
    assert ada("GET", f"{path}/summaries") == []


def test_a_conversation_that_outgrows_its_budget(chat_database: Database) -> None:
    """Where a budget is set, a summary is made once an answer has taken more than that."""
    with chat(chat_database.conninfo, summarise_over_tokens=40) as client:
        bea = client.logged_in("bea-summarised")
        path = bea.conversation()
        bea("POST", f"{path}/messages", content="Hello")
        before = bea("GET", path)["active_summary_id"]
        kept = bea("POST", f"{path}/messages", content="word " * 40)
        until(lambda: bea("GET", path)["active_summary_id"])
        [made] = bea("GET", f"{path}/summaries")

    assert (before, made["last_message_id"]) == (None, kept["answer"]["id"])
