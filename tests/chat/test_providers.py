"""An OpenAI-compatible endpoint: what it is sent, what is kept of its answers, how it fails."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.chat.endpoint import ANSWERS, KEY, ODD_USES, REFUSALS, RUBBISH, Endpoint, endpoint
from tests.chat.serving import chat, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chat.serving import Client
    from tests.servers import Database

PRICE = {"prompt": "0.15", "completion": "0.60"}
FAILING = ["silent", "slow", "torn", "garbled", "mute", "flaky", "unpriced", "endless"]
SCHEMA = '{"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}'
_people = count(1)


class Place(NamedTuple):
    """Somebody who is logged in, and the endpoint behind the service."""

    client: Client
    endpoint: Endpoint


@contextmanager
def on_an_endpoint(database: Database, **limits: float) -> Iterator[Place]:
    """Serve on an endpoint of its own."""
    prices = dict.fromkeys([*ANSWERS, *REFUSALS, *FAILING, *RUBBISH, *ODD_USES], PRICE) | {
        "unpriced": None
    }
    with endpoint() as made:
        given = {"provider": "openai", "openai_base_url": made.url, "openai_api_key": KEY}
        settings = given | limits | {"openai_models": prices, "provider_retries": 1}
        with chat(database.conninfo, **settings) as client:
            yield Place(client, made)


@pytest.fixture(scope="module")
def served(chat_database: Database) -> Iterator[Place]:
    """Serve with all the patience that a busy machine needs."""
    with on_an_endpoint(chat_database) as place:
        yield place


@pytest.fixture(scope="module")
def served_in_haste(chat_database: Database) -> Iterator[Place]:
    """Serve with too little patience for any answer that takes its time."""
    limits = {"provider_timeout_s": 0.9, "answer_timeout_s": 1.0}
    with on_an_endpoint(chat_database, **limits) as place:
        yield place


@pytest.fixture
def place(served: Place) -> Place:
    """Log in as somebody new."""
    return served._replace(client=served.client.logged_in(f"paid-{next(_people)}"))


@pytest.fixture
def hasty(served_in_haste: Place) -> Client:
    """Log in as somebody new, where there is no patience."""
    return served_in_haste.client.logged_in(f"hasty-{next(_people)}")


def test_what_is_recorded_of_an_answer(place: Place) -> None:
    """Tokens, cost, times and the provider's id of an answer are kept with it."""
    path = place.client.conversation()
    asked = {"content": "Where is the castle?", "model": "fine", "temperature": 0.3}
    kept = place.client("POST", f"{path}/messages", **asked)["answer"]
    tokens = [kept[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")]

    assert (kept["content"], kept["model"], kept["provider"]) == (
        "It is on the hill.",
        "fine",
        "openai",
    )
    # 11 that were sent at 0.15, and the 9 others of the total at 0.60, for a million each.
    assert (tokens, kept["cost_usd"]) == ([11, 7, 20], "0.00000705")
    assert (kept["generation_id"], kept["temperature"]) == ("gen-1", 0.3)
    assert kept["latency_ms"] >= 0 <= kept["generation_time_ms"]


def test_what_is_sent(place: Place) -> None:
    """The endpoint gets its key, the instructions, what was said, and the question last."""
    path = place.client.conversation(instructions="Be brief.")
    for content in ("One?", "Two?"):
        place.client("POST", f"{path}/messages", content=content, model="fine")
    sent = place.endpoint.seen[-1]

    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "It is on the hill."},
        {"role": "user", "content": "Two?"},
    ]
    assert "temperature" not in sent
    assert place.endpoint.keys == {f"Bearer {KEY}"}


def test_a_schema_is_sent_as_it_was_written(place: Place) -> None:
    """The model is told the schema word by word, and the endpoint gets it as a schema."""
    form = {"response_format": "json", "response_schema": SCHEMA}
    path = place.client.conversation(**form)
    answer = place.client("POST", f"{path}/messages", content="Where?", model="fenced")
    sent = place.endpoint.seen[-1]

    assert SCHEMA in sent["messages"][0]["content"]
    assert list(sent["response_format"]["json_schema"]["schema"]) == [
        "type",
        "required",
        "properties",
    ]
    assert answer["answer"]["content"] == '{"city": "Kraków"}'


def test_what_the_provider_does_not_say_is_not_made_up(place: Place) -> None:
    """Without tokens or without a price there is no cost."""
    path = place.client.conversation()
    mute = place.client("POST", f"{path}/messages", content="?", model="mute")["answer"]
    free = place.client("POST", f"{path}/messages", content="?", model="unpriced")["answer"]

    assert (mute["total_tokens"], mute["cost_usd"]) == (None, None)
    assert (free["total_tokens"], free["cost_usd"]) == (20, None)


@pytest.mark.parametrize("model", ODD_USES)
def test_numbers_that_cannot_be(place: Place, model: str) -> None:
    """Tokens that are no numbers of tokens, and a name that cannot be kept, were not said."""
    path = place.client.conversation()
    kept = place.client("POST", f"{path}/messages", content="?", model=model)["answer"]
    said = ("prompt_tokens", "completion_tokens", "total_tokens", "cost_usd", "generation_id")

    assert [kept[name] for name in said] == [None] * 5
    assert kept["content"] == "It is on the hill."


def test_a_failure_before_the_answer_is_tried_again(place: Place) -> None:
    """A request that failed with nothing to show is sent once more."""
    path = place.client.conversation()
    answer = place.client("POST", f"{path}/messages", content="?", model="flaky")

    assert (answer["_"], answer["answer"]["content"]) == (201, "It is on the hill.")


FAILURES = [
    ("busy", 503, "provider-busy"),
    ("down", 502, "provider-unreachable"),
    ("unknown", 502, "provider-refused"),
    ("refusing", 502, "provider-refused"),
    ("locked", 502, "provider-refused"),
    ("torn", 502, "provider-broken"),
    ("garbled", 502, "provider-broken"),
    ("empty", 502, "provider-broken"),
    *((model, 502, "provider-broken") for model in RUBBISH),
]


@pytest.mark.parametrize(("model", "status", "name"), FAILURES)
def test_a_provider_that_fails(place: Place, model: str, status: int, name: str) -> None:
    """Each failure is a problem of its own, tells nothing of the key, and leaves no message."""
    path = place.client.conversation()
    failed = place.client("POST", f"{path}/messages", content="Where?", model=model)
    left = place.client("GET", f"{path}/messages")["items"]

    assert (failed["_"], failed["type"]) == (status, f"urn:chatapp:problem:{name}")
    assert KEY not in str(failed)
    assert left == []


@pytest.mark.parametrize("model", ["silent", "slow"])
def test_a_provider_that_takes_too_long(hasty: Client, model: str) -> None:
    """One that says nothing, and one that does not come to its end, are given up."""
    path = hasty.conversation()
    failed = hasty("POST", f"{path}/messages", content="Where?", model=model)

    assert (failed["_"], failed["type"]) == (504, "urn:chatapp:problem:provider-timeout")
    assert hasty("GET", f"{path}/messages")["items"] == []


MISSHAPEN = [("json", SCHEMA, "fine"), ("json", SCHEMA, "chatty"), ("json", None, "xml")]
MISSHAPEN += [("xml", None, "fine"), ("xml", None, "bomb")]


@pytest.mark.parametrize(("form", "schema", "model"), MISSHAPEN)
def test_an_answer_without_its_form(
    place: Place, form: str, schema: str | None, model: str
) -> None:
    """An answer that is not the JSON or XML that was asked for is a problem, and is not kept."""
    path = place.client.conversation(response_format=form, response_schema=schema)
    refused = place.client("POST", f"{path}/messages", content="Where?", model=model)

    assert (refused["_"], refused["type"]) == (502, "urn:chatapp:problem:answer-misshapen")
    assert place.client("GET", f"{path}/messages")["items"] == []


def test_a_stream_that_cannot_begin(place: Place) -> None:
    """What fails before the first piece is answered with its status, not with a stream."""
    path = place.client.conversation()
    failed = place.client("POST", f"{path}/stream", content="Where?", model="down")

    assert (failed["_"], failed["type"]) == (502, "urn:chatapp:problem:provider-unreachable")


@pytest.mark.parametrize(
    ("form", "model", "problem"),
    [("text", "torn", "provider-broken"), ("json", "fine", "answer-misshapen")],
)
def test_a_stream_that_breaks(place: Place, form: str, model: str, problem: str) -> None:
    """A stream that goes wrong ends with the problem, and nothing is kept."""
    path = place.client.conversation(response_format=form)
    *deltas, (last, data) = place.client.events(f"{path}/stream", content="Where?", model=model)

    assert {name for name, _ in deltas} == {"delta"}
    assert (last, data["type"]) == ("problem", f"urn:chatapp:problem:{problem}")
    assert place.client("GET", f"{path}/messages")["items"] == []


def test_who_hangs_up_leaves_nothing(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A stream that its reader breaks off is not kept and no error; the provider is hung up on."""
    path = place.client.conversation()
    events = place.client.events(f"{path}/stream", content="Go on", model="endless")
    first = next(events)
    events.close()
    until(lambda: place.endpoint.left)

    assert first == ("delta", {"text": "and "})
    assert place.client("GET", f"{path}/messages")["items"] == []
    assert 'model="endless",outcome="timeout"' not in place.client.http.get("/metrics").text
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_summary_that_fails_leaves_the_conversation(place: Place) -> None:
    """When no summary could be written, the conversation is as it was."""
    path = place.client.conversation()
    place.client("POST", f"{path}/messages", content="Where?", model="fine")
    failed = place.client("POST", f"{path}/summaries", model="down")

    figures = place.client.http.get("/metrics").text
    counted = '{model="down",outcome="unreachable",provider="openai",task="summary"} 1.0'

    assert failed["_"] == 502
    assert place.client("GET", path)["active_summary_id"] is None
    assert place.client("GET", f"{path}/summaries") == []
    assert f"chatapp_answers_total{counted}" in figures


def test_usage_is_summed_by_day_model_and_provider(place: Place) -> None:
    """What one's answers came to is summed apart for each model, exactly."""
    path = place.client.conversation()
    for model in ("fine", "fine", "unpriced"):
        place.client("POST", f"{path}/messages", content="?", model=model)
    place.client("POST", f"{path}/messages", content="one two", provider="local")
    report = place.client("GET", "/v1/usage")
    sums = [(d["model"], d["provider"], d["answers"], d["cost_usd"]) for d in report["days"]]

    assert sums == [
        ("fine", "openai", 2, "0.0000141"),
        ("local-1", "local", 1, "0"),
        ("unpriced", "openai", 1, "0"),
    ]
    assert report["cost_usd"] == "0.0000141"
    assert report["days"][0]["total_tokens"] == 40


def test_figures_of_providers(place: Place) -> None:
    """Answers, failures, tokens and cost are counted for Prometheus."""
    path = place.client.conversation()
    for model in ("fine", "busy"):
        place.client("POST", f"{path}/messages", content="?", model=model)
    text = place.client.http.get("/metrics").text

    assert 'chatapp_answers_total{model="busy",outcome="busy",provider="openai"' in text
    assert 'chatapp_tokens_total{kind="prompt",model="fine",provider="openai"}' in text
