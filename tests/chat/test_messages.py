"""Messages: asked whole and as a stream, asked again, listed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from tests.chat.serving import chat

if TYPE_CHECKING:
    from tests.chat.serving import Client
    from tests.servers import Database


def test_question_and_answer_are_kept(ada: Client) -> None:
    """Both are there in order, the question names its answer, the answer says what wrote it."""
    path = ada.conversation()
    name = str(uuid4())
    kept = ada("POST", f"{path}/messages", content="Hello", id=name, temperature=0.7)
    listed = ada("GET", f"{path}/messages")["items"]

    assert (kept["_"], listed) == (201, [kept["question"], kept["answer"]])
    assert (kept["question"]["id"], kept["question"]["model"]) == (name, None)
    assert kept["question"]["answer_id"] == kept["answer"]["id"]
    assert (kept["answer"]["model"], kept["answer"]["temperature"]) == ("local-1", 0.7)
    assert (kept["answer"]["answer_id"], kept["finish_reason"]) == (None, "stop")


def test_the_same_question_gets_the_same_answer(ada: Client) -> None:
    """The local model makes nothing up: equal requests have equal answers, names included."""
    said = []
    for _ in range(2):
        path = ada.conversation()
        said.append(ada("POST", f"{path}/messages", content="Hello")["answer"])

    assert said[0]["content"] == said[1]["content"]
    assert said[0]["generation_id"] == said[1]["generation_id"]


def test_asking_again_gives_the_kept_answer(ada: Client) -> None:
    """The same question under the same id is answered once, whole or as a stream."""
    path, name = ada.conversation(), str(uuid4())
    first, again = (ada("POST", f"{path}/messages", content="Hello", id=name) for _ in range(2))
    events = list(ada.events(f"{path}/stream", content="Hello", id=name))
    said = [first["answer"]["content"]]

    assert (first["_"], again["_"], again["finish_reason"]) == (201, 200, None)
    assert [again[part] for part in ("question", "answer")] == [first["question"], first["answer"]]
    assert [event for event, _ in events] == ["question", "delta", "exchange"]
    assert [data["text"] for event, data in events if event == "delta"] == said
    assert ada("GET", "/v1/usage")["days"][0]["answers"] == 1


def test_an_id_is_taken_once(ada: Client, bob: Client) -> None:
    """Another question under an id that is taken is a conflict, wherever the first one is."""
    path, name = ada.conversation(), str(uuid4())
    asked = {"content": "Hello", "id": name}
    answer = ada("POST", f"{path}/messages", **asked)["answer"]
    refused = [
        ada("POST", f"{path}/messages", content="Hello again", id=name),
        ada("POST", f"{path}/messages", content=answer["content"], id=answer["id"]),
        ada("POST", f"{ada.conversation()}/messages", **asked),
        bob("POST", f"{bob.conversation()}/messages", **asked),
    ]

    assert {(one["_"], one["type"]) for one in refused} == {(409, "urn:chatapp:problem:id-taken")}
    assert len(ada("GET", f"{path}/messages")["items"]) == 2


def test_one_message(ada: Client) -> None:
    """A message can be looked at, as it is listed."""
    path = ada.conversation(instructions="Be brief.")
    ada("POST", f"{path}/messages", content="Hello")
    listed = ada("GET", f"{path}/messages")["items"]
    single = [ada("GET", f"{path}/messages/{one['id']}") for one in listed]

    assert single == [{**one, "_": 200} for one in listed]
    assert ada("GET", f"{path}/messages/{uuid4()}")["_"] == 404


def test_answers_of_earlier_releases(ada: Client, chat_database: Database) -> None:
    """An answer with a random id, which earlier releases gave, belongs to the question before."""
    path = ada.conversation()
    asked = ada("POST", f"{path}/messages", content="Hello")
    earlier = str(uuid4())
    chat_database.psql(f"UPDATE messages SET id = '{earlier}' WHERE id = '{asked['answer']['id']}'")
    listed = ada("GET", f"{path}/messages")["items"]
    again = ada("POST", f"{path}/messages", content="Hello", id=asked["question"]["id"])

    assert (listed[0]["answer_id"], listed[1]["id"]) == (earlier, earlier)
    assert (again["_"], again["answer"]["id"]) == (200, earlier)
    assert ada("GET", f"{path}/messages", limit=1)["items"][0]["answer_id"] == earlier


@pytest.mark.parametrize(
    "named", [{"model": "nothing"}, {"provider": "nobody"}, {"provider": "openai"}]
)
def test_a_model_that_nobody_serves(ada: Client, named: dict[str, str]) -> None:
    """Only what the list of models has can be asked for."""
    path = ada.conversation()
    refused = ada("POST", f"{path}/messages", content="Hello", **named)

    assert (refused["_"], refused["type"]) == (422, "urn:chatapp:problem:no-such-model")


def test_a_stream_is_the_answer_piece_by_piece(ada: Client) -> None:
    """The pieces make up the answer, and the last event is the stored message."""
    path = ada.conversation()
    asked, *deltas, (last, exchange) = ada.events(f"{path}/stream", content="Hello there")
    pieces = [data["text"] for _, data in deltas]

    assert asked == ("question", {**exchange["question"], "answer_id": None})
    assert len(pieces) > 3
    assert (last, "".join(pieces)) == ("exchange", exchange["answer"]["content"])
    assert ada("GET", f"{path}/messages")["items"] == [exchange["question"], exchange["answer"]]


def test_what_cannot_be_kept_leaves_the_question(chat_database: Database, ada: Client) -> None:
    """An answer that the database refuses leaves its question, which can be asked again."""
    path, asked = ada.conversation(), {"content": "never", "id": str(uuid4())}
    chat_database.psql(
        "ALTER TABLE messages ADD CONSTRAINT no_answers "
        "CHECK (role <> 'assistant' OR content NOT LIKE '%never%')"
    )
    answer = ada.http.post(f"{path}/messages", json=asked, headers=ada.headers)
    chat_database.psql("ALTER TABLE messages DROP CONSTRAINT no_answers")
    [left] = ada("GET", f"{path}/messages")["items"]
    again = ada("POST", f"{path}/messages", **asked)

    assert (answer.status_code, left["answer_id"]) == (500, None)
    assert answer.headers["x-request-id"]
    assert (again["_"], again["question"]["created_at"]) == (201, left["created_at"])


def test_an_open_question_is_not_sent_with_another(ada: Client, chat_database: Database) -> None:
    """A question without an answer is sent when it is asked again, once, and not before."""
    path = ada.conversation()
    open_ = ada("POST", f"{path}/messages", content="Open?")
    ada("DELETE", f"{path}/messages/{open_['answer']['id']}")
    other = ada("POST", f"{path}/messages", content="Other?")["answer"]["content"]
    again = ada("POST", f"{path}/messages", content="Open?", id=open_["question"]["id"])

    assert "(I was sent 1 messages.)" in other
    assert again["answer"]["content"] == "You said: Open? (I was sent 3 messages.)"


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


def add_answers(database: Database, path: str, size: int, number: int) -> None:
    """Let answers of some size be there, as a model would have given them."""
    where = path.rpartition("/")[2]
    database.psql(
        "INSERT INTO messages (conversation_id, role, content) "
        f"SELECT '{where}', 'assistant', repeat('a', {size}) FROM generate_series(1, {number})"
    )


def test_a_page_of_large_messages_ends_early(ada: Client, chat_database: Database) -> None:
    """A page has a bound in bytes too, and one message at least; none is left out."""
    path, sizes = ada.conversation(), []
    cursor: dict[str, str] = {}
    for size, number in ((400_000, 3), (1_500_000, 2)):
        add_answers(chat_database, path, size, number)
    while True:
        page = ada("GET", f"{path}/messages", **cursor)
        sizes.append([len(one["content"]) for one in page["items"]])
        cursor = {"cursor": page["next"]}
        if page["next"] is None:
            break

    assert sizes == [[400_000] * 2, [400_000], [1_500_000], [1_500_000]]


def test_a_prompt_of_too_many_bytes(ada: Client, chat_database: Database) -> None:
    """What is too much to be sent is told so, with the way out; the question is not kept."""
    path = ada.conversation()
    add_answers(chat_database, path, 700_000, 3)
    told = ada("POST", f"{path}/messages", content="And now?")

    assert (told["_"], told["type"]) == (409, "urn:chatapp:problem:too-long")
    assert "/summaries" in told["detail"]
    assert ada("GET", f"{path}/messages", limit=100)["items"][-1]["role"] == "assistant"


def test_a_prompt_of_too_many_tokens(ada: Client, chat_database: Database) -> None:
    """The number of tokens that are sent has a bound, which is a setting."""
    path = ada.conversation()
    with chat(chat_database.conninfo, prompt_max_tokens=50) as client:
        url, headers = f"{path}/messages", ada.headers
        statuses = [
            client.http.post(url, json={"content": "a" * size}, headers=headers).status_code
            for size in (200, 204)
        ]

    assert statuses == [201, 409]


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
