"""An OpenAI-compatible endpoint: requests to it, answers from it, and how it fails."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.chat.behaviours import KEY, ROWS, Row
from tests.chat.endpoint import MODELS, Endpoint, endpoint
from tests.chat.serving import chat, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chat.serving import Client
    from tests.servers import Database

PRICE = {"prompt": "0.15", "completion": "0.60"}
SCHEMA = '{"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}'
CREATED, USUAL_WAIT_S = 201, 5
_people = count(1)


class Place(NamedTuple):
    """Somebody who is logged in, and the endpoint behind the service."""

    client: Client
    endpoint: Endpoint


@contextmanager
def on_an_endpoint(database: Database, url: str = "", /, **limits: float) -> Iterator[Place]:
    """Serve on an endpoint of its own, or on what is at a URL."""
    prices = dict.fromkeys(MODELS, PRICE) | {"unpriced": None}
    with endpoint() as made:
        url = (url or made.url).replace("HERE", made.url.removeprefix("http://"))
        given = {"provider": "openai", "openai_base_url": url, "openai_api_key": KEY}
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


@pytest.fixture(scope="module")
def served_elsewhere(chat_database: Database) -> Iterator[dict[str, Place]]:
    """Serve on an address where nobody listens, and on one that speaks no TLS."""
    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    with (
        on_an_endpoint(chat_database, nowhere) as closed,
        on_an_endpoint(chat_database, "https://HERE") as tls,
    ):
        yield {"closed": closed, "tls": tls}


@pytest.fixture
def place(served: Place) -> Place:
    """Log in as somebody new."""
    return served._replace(client=served.client.logged_in(f"paid-{next(_people)}"))


def asking(request: pytest.FixtureRequest, place: str) -> Client:
    """Log in as somebody new at the service that a row of the table is about."""
    name = {"usual": "served", "hasty": "served_in_haste"}.get(place, "served_elsewhere")
    found = request.getfixturevalue(name)
    served: Place = found[place] if isinstance(found, dict) else found
    return served.client.logged_in(f"row-{next(_people)}")


@pytest.mark.parametrize(
    "model",
    [
        # Those that take their time, or a service of their own, are with the slow tests.
        pytest.param(name, marks=() if row.place == "usual" else pytest.mark.slow)
        for name, row in ROWS.items()
    ],
)
def test_each_behaviour(request: pytest.FixtureRequest, model: str) -> None:
    """A row for each behaviour of a provider: the client's response, and the stored rows."""
    row, client = ROWS[model], asking(request, ROWS[model].place)
    path = client.conversation()
    told = client("POST", f"{path}/messages", content="Where?", model=model)
    question, *answers = client("GET", f"{path}/messages")["items"]
    bills = client("GET", "/v1/usage")["days"]

    assert as_told(told) == row.told
    assert (question["content"], KEY in str(told)) == ("Where?", False)
    assert [question["answer_id"]] == [one["id"] for one in answers] or not answers
    assert as_kept(told, bills) == row.kept
    assert bool(answers) == (told["_"] == 201)


def as_told(told: dict[str, Any]) -> str:
    """What a client was told, as the table has it."""
    problem = told.get("type", "").rpartition(":")[2]
    wait = told.get("retry_after", 0)
    more = f", `Retry-After: {wait}`" if wait > USUAL_WAIT_S else ""
    return f"{told['_']} `{problem}`{more}" if problem else str(told["_"])


def as_kept(told: dict[str, Any], bills: list[Any]) -> str:
    """Return the stored rows, as the table has them."""
    if told["_"] != CREATED:
        return "the question, and a bill" if bills else "the question"
    tokens = told["answer"]["total_tokens"]
    mute = tokens is None and told["answer"]["content"] == "Hm."
    return "the answer, tokens null" if mute else f"the answer, `{told['finish_reason']}`"


@pytest.mark.parametrize("model", ["full", "full-later"])
def test_a_context_that_is_full_names_the_way_out(place: Place, model: str) -> None:
    """Who is told that the conversation is too long for the model is told of summaries."""
    told = place.client("POST", f"{place.client.conversation()}/messages", content="?", model=model)

    assert "/summaries" in told["detail"]


@pytest.mark.parametrize("model", ["length", "filtered"])
def test_a_cut_answer_in_a_form_says_how_it_ended(place: Place, model: str) -> None:
    """Where a part of JSON is all that came, the problem says why."""
    path = place.client.conversation(response_format="json")
    told = place.client("POST", f"{path}/messages", content="?", model=model)
    reason = "length" if model == "length" else "content_filter"

    assert told["type"] == "urn:chatapp:problem:answer-misshapen"
    assert told["detail"].endswith(f"It ended with {reason}.")


def test_the_readme_has_the_table() -> None:
    """The service's README tells of each behaviour in the words of the table."""
    readme = (Path(__file__).parents[2] / "backend" / "README.md").read_text()
    _, _, rest = readme.partition(
        "| a provider sends | the client is told | kept |\n|---|---|---|\n"
    )

    assert rest.partition("\n\n")[0] == "\n".join(map(written, ROWS.values()))


def written(row: Row) -> str:
    """Give a row as Markdown."""
    return f"| {row.does} | {row.told} | {row.kept} |"


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
    """Without tokens or a price there is no cost; a name that cannot be kept is none."""
    path = place.client.conversation()
    mute, odd, free, nameless = (
        place.client("POST", f"{path}/messages", content="?", model=model)["answer"]
        for model in ("mute", "odd", "unpriced", "nameless")
    )

    assert [one["total_tokens"] for one in (mute, odd, free)] == [None, None, 20]
    assert [one["cost_usd"] for one in (mute, odd, free)] == [None] * 3
    assert nameless["generation_id"] is None


def test_a_failure_before_the_answer_is_tried_again(place: Place) -> None:
    """A request that failed with nothing to show is sent once more."""
    path = place.client.conversation()
    answer = place.client("POST", f"{path}/messages", content="?", model="flaky")

    assert (answer["_"], answer["answer"]["content"]) == (201, "It is on the hill.")


MISSHAPEN = [("json", SCHEMA, "fine"), ("json", SCHEMA, "chatty"), ("json", None, "xml")]
MISSHAPEN += [("xml", None, "fine"), ("xml", None, "bomb")]


@pytest.mark.parametrize(("form", "schema", "model"), MISSHAPEN)
def test_an_answer_without_its_form(
    place: Place, form: str, schema: str | None, model: str
) -> None:
    """An answer that is not the JSON or XML that was asked for is a problem, and a bill."""
    path = place.client.conversation(response_format=form, response_schema=schema)
    refused = place.client("POST", f"{path}/messages", content="Where?", model=model)

    assert (refused["_"], refused["type"]) == (502, "urn:chatapp:problem:answer-misshapen")
    assert [one["role"] for one in place.client("GET", f"{path}/messages")["items"]] == ["user"]
    assert place.client("GET", "/v1/usage")["days"][0]["total_tokens"] == 20


@pytest.mark.parametrize(
    ("form", "model", "problem"),
    [
        ("text", "down", "provider-unreachable"),
        ("text", "torn", "provider-broken"),
        ("text", "done-alone", "provider-broken"),
        ("json", "fine", "answer-misshapen"),
    ],
)
def test_a_stream_that_breaks(place: Place, form: str, model: str, problem: str) -> None:
    """A stream that goes wrong ends with the problem, and the question stays without an answer."""
    path = place.client.conversation(response_format=form)
    asked, *deltas, (last, data) = place.client.events(
        f"{path}/stream", content="Where?", model=model
    )
    [kept] = place.client("GET", f"{path}/messages")["items"]

    assert {name for name, _ in deltas} <= {"delta"}
    assert (last, data["type"]) == ("problem", f"urn:chatapp:problem:{problem}")
    assert (asked, kept["answer_id"]) == (("question", kept), None)


def test_a_stream_says_how_long_to_wait(place: Place) -> None:
    """What a provider says of a wait is in the event, which has no header."""
    path = place.client.conversation()
    events = list(place.client.events(f"{path}/stream", content="?", model="busy-until"))

    assert (events[-1][0], events[-1][1]["retry_after"]) == ("problem", 7)


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
