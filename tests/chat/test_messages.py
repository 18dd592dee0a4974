"""Messages: asked whole and as a stream, listed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from tests.chat.serving import Client
    from tests.servers import Database


def test_question_and_answer_are_kept_together(ada: Client) -> None:
    """Both are there in order, and only the answer says what wrote it."""
    path = ada.conversation()
    name = str(uuid4())
    kept = ada("POST", f"{path}/messages", content="Hello", id=name, temperature=0.7)
    listed = ada("GET", f"{path}/messages")["items"]

    assert (kept["_"], listed) == (201, [kept["question"], kept["answer"]])
    assert (kept["question"]["id"], kept["question"]["model"]) == (name, None)
    assert (kept["answer"]["model"], kept["answer"]["temperature"]) == ("local-1", 0.7)


def test_the_same_question_gets_the_same_answer(ada: Client) -> None:
    """The local model makes nothing up: equal requests have equal answers, names included."""
    said = []
    for _ in range(2):
        path = ada.conversation()
        said.append(ada("POST", f"{path}/messages", content="Hello")["answer"])

    assert said[0]["content"] == said[1]["content"]
    assert said[0]["generation_id"] == said[1]["generation_id"]


def test_an_id_is_taken_once(ada: Client) -> None:
    """A question whose id is taken is a conflict, and leaves no answer behind."""
    path, name = ada.conversation(), str(uuid4())
    ada("POST", f"{path}/messages", content="Hello", id=name)
    again = ada("POST", f"{path}/messages", content="Hello again", id=name)

    assert (again["_"], again["type"]) == (409, "urn:chatapp:problem:id-taken")
    assert len(ada("GET", f"{path}/messages")["items"]) == 2


@pytest.mark.parametrize(
    "named", [{"model": "nothing"}, {"provider": "nobody"}, {"provider": "openai"}]
)
def test_a_model_that_nobody_serves(ada: Client, named: dict[str, str]) -> None:
    """Only what the list of models has can be asked for."""
    path = ada.conversation()
    refused = ada("POST", f"{path}/messages", content="Hello", **named)

    assert (refused["_"], refused["type"]) == (422, "urn:chatapp:problem:no-such-model")


def test_a_stream_is_the_answer_piece_by_piece(ada: Client) -> None:
    """The pieces make up the answer, and the last event is what was kept."""
    path = ada.conversation()
    *deltas, (last, exchange) = ada.events(f"{path}/stream", content="Hello there")
    pieces = [data["text"] for _, data in deltas]

    assert len(pieces) > 3
    assert (last, "".join(pieces)) == ("exchange", exchange["answer"]["content"])
    assert ada("GET", f"{path}/messages")["items"] == [exchange["question"], exchange["answer"]]


def test_what_fails_while_it_is_kept_leaves_nothing(chat_database: Database, ada: Client) -> None:
    """Question and answer are one transaction: what ends in its middle leaves neither."""
    path = ada.conversation()
    chat_database.psql(
        "ALTER TABLE messages ADD CONSTRAINT no_answers "
        "CHECK (role <> 'assistant' OR content NOT LIKE '%never%')"
    )
    failed = ada("POST", f"{path}/messages", content="never")
    answer = ada.http.post(f"{path}/messages", json={"content": "never"}, headers=ada.headers)
    chat_database.psql("ALTER TABLE messages DROP CONSTRAINT no_answers")

    assert (failed["_"], failed["type"]) == (500, "urn:chatapp:problem:internal-error")
    assert answer.headers["x-request-id"]
    assert ada("GET", f"{path}/messages")["items"] == []


def test_pages_go_from_the_oldest(ada: Client) -> None:
    """Messages come in the order in which they were said, page by page."""
    path = ada.conversation()
    for number in range(3):
        ada("POST", f"{path}/messages", content=str(number))
    first = ada("GET", f"{path}/messages", limit=4)
    second = ada("GET", f"{path}/messages", limit=4, cursor=first["next"])
    asked = [m["content"] for m in first["items"] + second["items"] if m["role"] == "user"]

    assert (asked, second["next"]) == (["0", "1", "2"], None)
    assert (len(first["items"]), len(second["items"])) == (4, 2)


def test_a_deleted_message_is_not_sent_again(ada: Client) -> None:
    """What was deleted is neither listed nor sent."""
    path = ada.conversation()
    kept = ada("POST", f"{path}/messages", content="Hello")
    gone = ada("DELETE", f"{path}/messages/{kept['question']['id']}")
    again = ada("DELETE", f"{path}/messages/{kept['question']['id']}")
    answer = ada("POST", f"{path}/messages", content="And now?")["answer"]

    assert (gone["_"], again["_"]) == (204, 404)
    assert "(I was sent 2 messages.)" in answer["content"]


SIMPLE = {
    "type": "object",
    "required": ["city", "people"],
    "properties": {"city": {"type": "string"}, "people": {"type": "integer", "minimum": 1}},
}
"""A schema as people write them."""
XSD = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="trip">'
    '<xs:complexType><xs:sequence><xs:element name="city" type="xs:string"/>'
    '<xs:element name="days" type="xs:integer"/></xs:sequence></xs:complexType>'
    "</xs:element></xs:schema>"
)


@pytest.mark.parametrize(
    ("form", "schema", "begins"),
    [
        ("json", str(SIMPLE).replace("'", '"'), '{"city": "You said'),
        ("json", None, '{"answer": "You said'),
        ("xml", XSD, "<trip><city>You said"),
        ("xml", None, "<answer>You said: &lt;b&gt;"),
    ],
)
def test_the_local_model_keeps_to_the_form(
    ada: Client, form: str, schema: str | None, begins: str
) -> None:
    """Also offline an answer has the form that the conversation asks for."""
    path = ada.conversation(response_format=form, response_schema=schema)
    kept = ada("POST", f"{path}/messages", content="<b>")

    assert (kept["_"], kept["answer"]["content"][: len(begins)]) == (201, begins)
