"""What happens while a model answers: to conversation, question, database and reader."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest
from tests.chat.endpoint import KEY, Endpoint, endpoint
from tests.chat.serving import Client, chat, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers import Database

_people = count(1)


class Place(NamedTuple):
    """Somebody who is logged in, a conversation, and an endpoint that waits to be let go on."""

    client: Client
    path: str
    endpoint: Endpoint


@pytest.fixture(scope="module")
def served(chat_database: Database) -> Iterator[tuple[Client, Endpoint]]:
    """Serve on an endpoint that takes its time."""
    with endpoint() as made:
        models = {"waiting": None}
        given = {"provider": "openai", "openai_base_url": made.url, "openai_api_key": KEY}
        with chat(chat_database.conninfo, openai_models=models, **given) as client:
            yield client, made


@pytest.fixture
def place(served: tuple[Client, Endpoint]) -> Place:
    """Log in as somebody new and begin a conversation."""
    client, made = served
    made.go = False
    somebody = client.logged_in(f"meanwhile-{next(_people)}")
    return Place(somebody, somebody.conversation(), made)


def asked_meanwhile(
    place: Place, act: Callable[[str], Any], path: str = "stream", **more: str
) -> tuple[str, Any]:
    """Ask for a stream, do something behind its first piece, and give the stream's last event."""
    body = {"content": "Where?"} | more if path == "stream" else more
    events = place.client.events(f"{place.path}/{path}", **body)
    (_, question), first = next(events), next(events)
    act(question["id"])
    place.endpoint.go = True
    return [first, *events][-1]


def messages(place: Place) -> list[Any]:
    """What is listed now."""
    return list(place.client("GET", f"{place.path}/messages")["items"])


def test_the_form_is_locked(place: Place) -> None:
    """From the question on the form cannot be changed, so its answer fits."""
    changed = []

    def act(_: str) -> None:
        changed.append(place.client("PATCH", place.path, response_format="xml")["type"])

    name, _ = asked_meanwhile(place, act)

    assert (changed, name) == (["urn:chatapp:problem:form-locked"], "exchange")


def test_the_conversation_is_deleted(place: Place) -> None:
    """An answer in a conversation that is gone is told so."""
    name, told = asked_meanwhile(place, lambda _: place.client("DELETE", place.path))

    assert (name, told["type"]) == ("problem", "urn:chatapp:problem:not-found")


def test_the_question_is_deleted(place: Place) -> None:
    """An answer whose question is gone is not kept, and is in the usage."""

    def act(asked: str) -> None:
        place.client("DELETE", f"{place.path}/messages/{asked}")

    name, told = asked_meanwhile(place, act)

    assert (name, told["type"]) == ("problem", "urn:chatapp:problem:question-gone")
    assert messages(place) == []
    assert place.client("GET", "/v1/usage")["days"][0]["total_tokens"] == 20


def test_a_question_is_there_while_it_is_answered(place: Place) -> None:
    """Before its answer has come a question is listed, with its own time and no answer."""
    seen = []
    _, told = asked_meanwhile(place, lambda _: seen.extend(messages(place)))

    assert [(one["role"], one["answer_id"]) for one in seen] == [("user", None)]
    assert seen[0]["created_at"] == told["question"]["created_at"] < told["answer"]["created_at"]


def test_the_same_is_asked_meanwhile(place: Place) -> None:
    """Who asks the same under the same id gets the answer that is under way, from its beginning."""
    asked = {"content": "Where?", "id": str(uuid4())}
    before, others = len(place.endpoint.seen), []

    def act(_: str) -> None:
        events = place.client.events(f"{place.path}/stream", **asked)
        others.extend([next(events), next(events)])
        place.endpoint.go = True
        others.extend(events)

    _, told = asked_meanwhile(place, act, **asked)
    pieces = [data["text"] for name, data in others if name == "delta"]

    assert ("".join(pieces), others[-1]) == ("It is on the hill.", ("exchange", told))
    assert len(place.endpoint.seen) == before + 1


def test_another_replica_is_faster(
    place: Place, served: tuple[Client, Endpoint], chat_database: Database
) -> None:
    """Of two answers to one question, of two replicas, the first is kept; both are in the usage."""
    asked = {"content": "Where?", "id": str(uuid4())}
    with chat(chat_database.conninfo) as other:
        elsewhere = Client(other.http)
        elsewhere.headers = place.client.headers
        faster = []

        def act(_: str) -> None:
            faster.append(elsewhere("POST", f"{place.path}/messages", **asked))

        _, told = asked_meanwhile(place, act, **asked)
    sums = [(day["provider"], day["answers"]) for day in place.client("GET", "/v1/usage")["days"]]

    assert told["answer"] == faster[0]["answer"] == messages(place)[1]
    assert (faster[0]["_"], told["finish_reason"], len(messages(place))) == (201, None, 2)
    assert sums == [("local", 1), ("openai", 1)]


ENDING = "SELECT pg_terminate_backend(pg_backend_pid())"


@pytest.mark.parametrize(
    ("result", "problem"), [("SELECT false", "internal-error"), (ENDING, "database-unavailable")]
)
def test_the_database_fails(
    place: Place, chat_database: Database, result: str, problem: str
) -> None:
    """A stream whose answer cannot be kept says so at its end, and does not just tear."""
    checked = "ALTER TABLE messages ADD CONSTRAINT fits CHECK (fitting()) NOT VALID"
    breaking = f"CREATE FUNCTION fitting() RETURNS bool AS '{result}' LANGUAGE sql; {checked}"
    try:
        name, told = asked_meanwhile(place, lambda _: chat_database.psql(breaking))
    finally:
        chat_database.psql("DROP FUNCTION fitting() CASCADE")

    assert (name, told["type"]) == ("problem", f"urn:chatapp:problem:{problem}")
    assert [one["answer_id"] for one in messages(place)] == [None]


def test_both_questions_are_kept(place: Place) -> None:
    """Two questions that are asked at once are both kept, each with its answer."""
    local = {"content": "Me too", "provider": "local"}
    asked_meanwhile(place, lambda _: place.client("POST", f"{place.path}/messages", **local))
    where, me_too, *answers = messages(place)

    assert [where["content"], me_too["content"]] == ["Where?", "Me too"]
    assert [one["id"] for one in answers] == [me_too["answer_id"], where["answer_id"]]
    assert "(I was sent 1 messages.)" in answers[0]["content"]


def test_the_last_message_of_a_summary_is_deleted(place: Place) -> None:
    """A summary whose last message went while it was written is not kept."""
    client, path, made = place
    asked = client("POST", f"{path}/messages", content="Hello", provider="local")
    before = len(made.seen)
    with ThreadPoolExecutor() as threads:
        refused = threads.submit(client, "POST", f"{path}/summaries")
        until(lambda: len(made.seen) > before)
        client("DELETE", f"{path}/messages/{asked['answer']['id']}")
        made.go = True

    assert refused.result()["type"] == "urn:chatapp:problem:message-gone"
    assert client("GET", f"{path}/summaries") == []
