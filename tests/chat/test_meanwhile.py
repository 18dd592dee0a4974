"""What changes while a model answers: nothing is kept that does not fit any more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest
from tests.chat.endpoint import KEY, Endpoint, endpoint
from tests.chat.serving import chat, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.chat.serving import Client
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


def asked_meanwhile(place: Place, act: Callable[[], Any], **more: Any) -> tuple[str, Any]:  # noqa: ANN401 - JSON
    """Ask for a stream, do something behind its first piece, and give the stream's last event."""
    events = place.client.events(f"{place.path}/stream", content="Where?", **more)
    first = next(events)
    act()
    place.endpoint.go = True
    return [first, *events][-1]


def test_the_form_is_changed(place: Place) -> None:
    """An answer in a form that was changed meanwhile is not kept."""
    change = {"response_format": "xml"}
    name, told = asked_meanwhile(place, lambda: place.client("PATCH", place.path, **change))

    assert (name, told["type"]) == ("problem", "urn:chatapp:problem:form-changed")
    assert place.client("GET", f"{place.path}/messages")["items"] == []


def test_the_conversation_is_deleted(place: Place) -> None:
    """An answer in a conversation that is gone is told so."""
    name, told = asked_meanwhile(place, lambda: place.client("DELETE", place.path))

    assert (name, told["type"]) == ("problem", "urn:chatapp:problem:not-found")


def test_the_id_is_taken(place: Place) -> None:
    """Of two questions with one id that are asked at once, one is kept."""
    named = str(uuid4())
    local = {"content": "Me first", "provider": "local", "id": named}

    def act() -> None:
        place.client("POST", f"{place.path}/messages", **local)

    name, told = asked_meanwhile(place, act, id=named)
    kept = place.client("GET", f"{place.path}/messages")["items"]

    assert (name, told["type"]) == ("problem", "urn:chatapp:problem:id-taken")
    assert [message["content"] for message in kept if message["role"] == "user"] == ["Me first"]


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
        name, told = asked_meanwhile(place, lambda: chat_database.psql(breaking))
    finally:
        chat_database.psql("DROP FUNCTION fitting() CASCADE")

    assert (name, told["type"]) == ("problem", f"urn:chatapp:problem:{problem}")
    assert place.client("GET", f"{place.path}/messages")["items"] == []


def test_both_questions_are_kept(place: Place) -> None:
    """Two questions that are asked at once are both kept, each before its answer."""
    local = {"content": "Me too", "provider": "local"}
    asked_meanwhile(place, lambda: place.client("POST", f"{place.path}/messages", **local))
    kept = place.client("GET", f"{place.path}/messages")["items"]

    assert [message["role"] for message in kept] == ["user", "assistant"] * 2
    assert [message["content"] for message in kept][::2] == ["Me too", "Where?"]


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
