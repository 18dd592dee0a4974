"""What is somebody's is nobody else's: every route, asked by somebody else and by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from tests.chat.serving import settings

from chatapp.app import create_app

if TYPE_CHECKING:
    from tests.chat.serving import Client

ANYBODYS = {("post", "/v1/accounts"), ("post", "/v1/tokens")}
OWN = {
    "/v1/account",
    "/v1/account/password",
    "/v1/conversations",
    "/v1/models",
    "/v1/schema",
    "/v1/usage",
}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/v1/conversations/{conversation_id}/messages"): {"content": "Hello"},
    ("post", "/v1/conversations/{conversation_id}/stream"): {"content": "Hello"},
    ("put", "/v1/conversations/{conversation_id}/active-summary"): {"summary_id": None},
    ("patch", "/v1/conversations/{conversation_id}"): {"title": "mine now"},
}


def routes() -> list[tuple[str, str]]:
    """Every route of the API, as its description has them."""
    described = create_app(settings("postgresql://nowhere/x")).openapi()
    return [(method, path) for path, of in described["paths"].items() for method in of]


@pytest.mark.parametrize(("method", "path"), sorted(set(routes()) - ANYBODYS))
def test_nobody_gets_anything(anybody: Client, method: str, path: str) -> None:
    """Without a token there is nothing but registering and logging in."""
    where = path.format(conversation_id=uuid4(), message_id=uuid4(), summary_id=uuid4())
    refused = anybody(method.upper(), where, **BODIES.get((method, path), {}))

    assert (refused["_"], refused["type"]) == (401, "urn:chatapp:problem:not-logged-in")


@pytest.mark.parametrize(
    ("method", "path"), sorted(r for r in set(routes()) - ANYBODYS if r[1] not in OWN)
)
def test_nobody_elses_conversation(ada: Client, bob: Client, method: str, path: str) -> None:
    """What is in somebody else's conversation is not there, and stays as it was."""
    where = ada.conversation(title="hers").rpartition("/")[2]
    base = f"/v1/conversations/{where}"
    kept = ada("POST", f"{base}/messages", content="Hello")
    summary = ada("POST", f"{base}/summaries")
    before = [ada("GET", base), ada("GET", f"{base}/messages"), ada("GET", f"{base}/summaries")]
    ids = {"message_id": kept["question"]["id"], "summary_id": summary["id"]}
    url = path.format(conversation_id=where, **ids)
    refused = bob(method.upper(), url, **BODIES.get((method, path), {}))

    assert (refused["_"], refused["type"]) == (404, "urn:chatapp:problem:not-found")
    assert before == [
        ada("GET", base),
        ada("GET", f"{base}/messages"),
        ada("GET", f"{base}/summaries"),
    ]


def test_lists_and_sums_are_ones_own(ada: Client, bob: Client) -> None:
    """Somebody else's conversations and usage are neither listed nor summed."""
    ada("POST", f"{ada.conversation()}/messages", content="Hello")

    assert bob("GET", "/v1/conversations")["items"] == []
    assert bob("GET", "/v1/usage")["days"] == []
    assert len(ada("GET", "/v1/usage")["days"]) == 1
