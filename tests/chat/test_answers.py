"""How long an answer lives: without a reader, until it is stopped, replaced, or the end."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import httpx2
import pytest
from tests.chat.endpoint import KEY, Endpoint, endpoint
from tests.chat.serving import Client, chat, until
from tests.chat.test_process import started

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.servers import Database

_people = count(1)
PRICE = {"prompt": "1", "completion": "2"}
MODELS = dict.fromkeys(["waiting", "endless", "fine", "length", "silent", "no-end"], PRICE)


class Place(NamedTuple):
    """Somebody who is logged in, a conversation, and the endpoint that answers in it."""

    client: Client
    path: str
    endpoint: Endpoint

    def asked(self, model: str, **more: str) -> tuple[str, Generator[tuple[str, Any], None, None]]:
        """Ask for a stream and read its first piece: the question's id, and the events to come."""
        body = {"content": "Go on", "model": model} | more
        events = self.client.events(f"{self.path}/stream", **body)
        (_, question), (name, _) = next(events), next(events)
        assert name == "delta"
        return question["id"], events

    def messages(self) -> list[Any]:
        """What is listed now."""
        return list(self.client("GET", f"{self.path}/messages")["items"])


def provider(made: Endpoint) -> dict[str, Any]:
    """The settings for an endpoint."""
    given = {"provider": "openai", "openai_base_url": made.url, "openai_api_key": KEY}
    return given | {"openai_models": MODELS, "provider_retries": 0}


@pytest.fixture(scope="module")
def served(chat_database: Database) -> Iterator[tuple[Client, Client, Endpoint]]:
    """Serve twice on one database and one endpoint."""
    with endpoint() as made:
        settings = provider(made)
        with (
            chat(chat_database.conninfo, **settings) as client,
            chat(chat_database.conninfo, **settings, abandoned_answer_s=0.2) as hasty,
        ):
            yield client, hasty, made


@pytest.fixture
def place(served: tuple[Client, Client, Endpoint]) -> Place:
    """Begin a conversation of somebody new."""
    return begun(served[0], served[2])


@pytest.fixture
def hasty(served: tuple[Client, Client, Endpoint]) -> Place:
    """Begin one where answers are soon given up."""
    return begun(served[1], served[2])


def begun(client: Client, made: Endpoint) -> Place:
    """Begin a conversation of somebody new."""
    made.go = made.left = False
    somebody = client.logged_in(f"answered-{next(_people)}")
    return Place(somebody, somebody.conversation(), made)


def test_who_hangs_up_still_gets_the_answer(place: Place) -> None:
    """An answer whose reader is gone comes to its end, is kept, and is in the usage."""
    asked, events = place.asked("waiting")
    events.close()
    place.endpoint.go = True
    until(lambda: place.messages()[0]["answer_id"])

    assert place.messages()[1]["content"] == "It is on the hill."
    assert place.client("GET", f"{place.path}/messages/{asked}")["answer_id"]
    assert place.client("GET", "/v1/usage")["days"][0]["total_tokens"] == 20


def test_a_reader_that_comes_back(place: Place) -> None:
    """Who hung up and asks again reads the answer that is under way, from its beginning."""
    before = len(place.endpoint.seen)
    asked, events = place.asked("waiting")
    events.close()
    again, events = place.asked("waiting", id=asked)
    place.endpoint.go = True
    *_, (last, exchange) = events

    assert (again, last) == (asked, "exchange")
    assert exchange["answer"]["content"] == "It is on the hill."
    assert len(place.endpoint.seen) == before + 1


def test_an_answer_that_nobody_reads_is_given_up(hasty: Place) -> None:
    """After its limit an answer without a reader ends, and its question stays without one."""
    _, events = hasty.asked("endless")
    events.close()
    until(lambda: hasty.endpoint.left)
    until(lambda: hasty.client("GET", "/v1/usage")["days"])
    [day] = hasty.client("GET", "/v1/usage")["days"]

    assert [one["answer_id"] for one in hasty.messages()] == [None]
    assert (day["answers"], day["total_tokens"]) == (1, 0)
    assert 'model="endless",outcome="dropped"' in hasty.client.http.get("/metrics").text


def test_who_waits_for_the_whole_and_hangs_up(hasty: Place) -> None:
    """A request that is not a stream is left in the same way."""
    url, body = f"{hasty.path}/messages", {"content": "Go on", "model": "endless"}
    with pytest.raises(httpx2.ReadTimeout):
        hasty.client.http.post(url, json=body, headers=hasty.client.headers, timeout=0.5)
    until(lambda: hasty.endpoint.left)

    assert [one["answer_id"] for one in hasty.messages()] == [None]


@pytest.mark.parametrize("by", ["the same service", "another"])
def test_stopping(place: Place, served: tuple[Client, Client, Endpoint], by: str) -> None:
    """An answer is stopped from the same service and from another; what has come is kept."""
    same, other, _ = served
    asked, events = place.asked("endless")
    stopped = post(other if by == "another" else same, place, f"messages/{asked}/stop")
    *_, (last, exchange) = events
    until(lambda: place.endpoint.left)

    assert (stopped.status_code, stopped.json()["id"]) == (202, asked)
    assert (last, exchange["finish_reason"]) == ("exchange", "stopped")
    assert exchange["answer"]["content"].startswith("and ")
    assert place.messages() == [exchange["question"], exchange["answer"]]


def post(client: Client, place: Place, path: str) -> httpx2.Response:
    """Post nothing, by way of a service."""
    return client.http.post(f"{place.path}/{path}", headers=place.client.headers)


def test_stopping_what_is_not_under_way(place: Place) -> None:
    """An answered question is stopped without effect; an answer, or nothing, is not stopped."""
    kept = place.client("POST", f"{place.path}/messages", content="?", model="fine")
    told = [
        place.client("POST", f"{place.path}/messages/{name}/stop")["_"]
        for name in (kept["question"]["id"], kept["answer"]["id"], uuid4())
    ]

    assert (told, len(place.messages())) == ([202, 404, 404], 2)


def test_stopping_before_anything_has_come(place: Place) -> None:
    """There is nothing to keep then: the question stays without an answer."""
    events = place.client.events(f"{place.path}/stream", content="Go on", model="silent")
    _, question = next(events)
    post(place.client, place, f"messages/{question['id']}/stop")
    [(name, told)] = events

    assert (name, told["type"]) == ("problem", "urn:chatapp:problem:answer-stopped")
    assert place.messages() == [question]


def regenerated(place: Place, question: str, **how: Any) -> tuple[str, Any]:  # noqa: ANN401 - JSON
    """Regenerate; the last event."""
    *_, last = place.client.events(f"{place.path}/messages/{question}/regenerate", **how)
    return last


def test_answering_again(place: Place) -> None:
    """Another answer takes the place of the first, and both are in the usage."""
    first = place.client("POST", f"{place.path}/messages", content="?", model="fine")
    name, told = regenerated(place, first["question"]["id"], model="length")
    [day, other] = place.client("GET", "/v1/usage")["days"]

    assert (name, told["finish_reason"], told["answer"]["content"]) == ("exchange", "length", "So")
    assert told["question"] == first["question"]
    assert place.messages() == [told["question"], told["answer"]]
    assert (day["answers"], other["answers"], other["total_tokens"]) == (1, 1, 20)
    assert place.endpoint.seen[-1]["messages"] == [{"role": "user", "content": "?"}]


def test_a_second_answer_that_fails_leaves_the_first(place: Place) -> None:
    """The first answer is there until the second has come."""
    first = place.client("POST", f"{place.path}/messages", content="?", model="fine")
    name, told = regenerated(place, first["question"]["id"], model="no-end")

    assert (name, told["type"]) == ("problem", "urn:chatapp:problem:provider-broken")
    assert place.messages() == [first["question"], first["answer"]]


def test_only_the_newest_is_answered_again(place: Place) -> None:
    """What later questions were asked knowing is not replaced, nor what is being answered."""
    first = place.client("POST", f"{place.path}/messages", content="?", model="fine")["question"]
    asked, events = place.asked("waiting")
    told = [
        post(place.client, place, f"messages/{one}/regenerate").json()["type"].rpartition(":")[2]
        for one in (first["id"], asked, uuid4())
    ]
    place.endpoint.go = True

    assert told == ["not-the-newest", "answer-running", "not-found"]
    assert [name for name, _ in events][-1] == "exchange"


def test_a_summary_of_a_replaced_answer(place: Place) -> None:
    """A summary that ends with it stays, and is not sent: it tells of what is not there."""
    first = place.client("POST", f"{place.path}/messages", content="?", model="fine")
    place.client("POST", f"{place.path}/summaries", model="fine")
    regenerated(place, first["question"]["id"], model="fine")
    [left] = place.client("GET", f"{place.path}/summaries")

    assert left["last_message_id"] is None


@pytest.mark.slow
def test_at_the_end_an_answer_is_given_a_little(chat_database: Database) -> None:
    """A service that ends waits for what nobody reads, and drops what takes longer."""
    with endpoint() as made:
        settings = provider(made) | {"answer_grace_s": 0.5}
        with chat(chat_database.conninfo, **settings) as client:
            place = begun(client, made)
            place.asked("waiting")[1].close()
            place.asked("endless")[1].close()
            made.go = True
        with chat(chat_database.conninfo) as client:
            items = (
                client.with_token("")
                .http.get(f"{place.path}/messages", headers=place.client.headers)
                .json()["items"]
            )

    assert [bool(one["answer_id"]) for one in items if one["role"] == "user"] == [True, False]


@pytest.mark.slow
def test_stopping_in_another_process(database: Database, tmp_path: Path) -> None:
    """An answer of one process is stopped by way of another, and a lost connection comes back."""
    with endpoint() as made:
        models = json.dumps(dict.fromkeys(MODELS))
        given = {"provider": "openai", "openai_base_url": made.url, "openai_models": models}
        settings = {"database_url": database.url, **given}
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        with (
            started(tmp_path / "a" / "log", **settings) as (_, here),
            started(tmp_path / "b" / "log", **settings) as (_, there),
        ):
            place = begun(here, made)
            for _ in range(2):
                asked, events = place.asked("endless")
                post(there, place, f"messages/{asked}/stop")
                *_, (last, exchange) = events
                assert (last, exchange["finish_reason"]) == ("exchange", "stopped")
                cut_off_listeners(database)


def cut_off_listeners(database: Database) -> None:
    """End the connections that hear notices, and wait until both are there again."""
    own = "WHERE datname = current_database() AND application_name = 'chatapp listening'"
    before = database.psql(f"SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity {own}")
    gone = ", ".join(str(pid) for pid, _ in before)
    again = f"SELECT count(*) FROM pg_stat_activity {own} AND pid NOT IN ({gone})"
    until(lambda: database.psql(again) == [(2,)])
