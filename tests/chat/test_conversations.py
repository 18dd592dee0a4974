"""Conversations: begin, list, change, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from tests.chat.serving import Client

SCHEMA = '{"type": "object", "required": ["b", "a"], "properties": {"b": {}, "a": {}}}'


def test_what_is_begun_is_there(ada: Client) -> None:
    """A conversation has what it was begun with, its schema to the letter."""
    asked = {"id": str(uuid4()), "title": "Trip", "response_format": "json"}
    made = ada("POST", "/v1/conversations", **asked, response_schema=SCHEMA)
    seen = ada("GET", f"/v1/conversations/{made['id']}")

    assert (made["_"], seen["_"]) == (201, 200)
    assert {name: seen[name] for name in asked} == asked
    assert (seen["response_schema"], seen["active_summary_id"]) == (SCHEMA, None)


def test_instructions_are_the_first_message(ada: Client) -> None:
    """What a model is told to do is kept as a system message, and does not lock the form."""
    path = ada.conversation(instructions="Be brief.")
    [first] = ada("GET", f"{path}/messages")["items"]
    changed = ada("PATCH", path, response_format="xml")

    assert (first["role"], first["content"]) == ("system", "Be brief.")
    assert changed["response_format"] == "xml"


def test_an_id_is_taken_once(ada: Client, bob: Client) -> None:
    """A second conversation with the same id is a conflict, whoever begins it."""
    name = str(uuid4())
    statuses = [who("POST", "/v1/conversations", id=name)["_"] for who in (ada, ada, bob)]

    assert statuses == [201, 409, 409]


def test_the_newest_come_first_page_by_page(ada: Client) -> None:
    """Pages go from the newest to the oldest, and what is begun meanwhile shifts nothing."""
    begun = [ada("POST", "/v1/conversations", title=str(n))["id"] for n in range(5)]
    first = ada("GET", "/v1/conversations", limit=2)
    ada.conversation(title="begun meanwhile")
    second = ada("GET", "/v1/conversations", limit=2, cursor=first["next"])
    third = ada("GET", "/v1/conversations", limit=2, cursor=second["next"])
    seen = [one["id"] for page in (first, second, third) for one in page["items"]]

    assert seen == begun[::-1]
    assert third["next"] is None


def test_what_is_said_makes_it_newer(ada: Client) -> None:
    """A conversation comes first when something is said in it, not when it is renamed."""
    old, new = ada.conversation(), ada.conversation()
    ada("PATCH", old, title="renamed")
    renamed = ada("GET", "/v1/conversations")["items"][0]["id"]
    ada("POST", f"{old}/messages", content="Hello")
    spoken = ada("GET", "/v1/conversations")["items"][0]["id"]

    assert (renamed, spoken) == (new.rpartition("/")[2], old.rpartition("/")[2])


def test_a_title_can_be_changed_and_taken_away(ada: Client) -> None:
    """What is left out of a change stays; null takes the title away."""
    path = ada.conversation(title="first")
    titles = [ada("PATCH", path, **body)["title"] for body in ({"title": "second"}, {})]
    gone = ada("PATCH", path, title=None)["title"]

    assert (titles, gone) == (["second", "second"], None)


def test_the_form_is_locked_by_the_first_question(ada: Client) -> None:
    """Format and schema can be changed until something was asked, and not after; the title can."""
    path = ada.conversation()
    before = ada("PATCH", path, response_format="json", response_schema=SCHEMA)
    ada("POST", f"{path}/messages", content="Hello")
    after = ada("PATCH", path, response_schema=None)
    same = ada("PATCH", path, response_format="json", title="still mine")

    assert (before["_"], before["response_schema"]) == (200, SCHEMA)
    assert (after["_"], after["type"]) == (409, "urn:chatapp:problem:form-locked")
    assert (same["_"], same["title"]) == (200, "still mine")


def test_another_format_leaves_the_schema_behind(ada: Client) -> None:
    """A JSON schema does not become an XML one."""
    path = ada.conversation(response_format="json", response_schema=SCHEMA)

    assert ada("PATCH", path, response_format="xml")["response_schema"] is None


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        ("text", SCHEMA),
        ("json", "{"),
        ("json", "[]"),
        ("json", '{"type": "nothing"}'),
        ("json", '{"pattern": "("}'),
        ("json", '{"$ref": "http://127.0.0.1:1/schema"}'),
        ("json", '{"$ref": "file:///etc/passwd"}'),
    ],
)
def test_a_schema_that_cannot_be_used(ada: Client, form: str, schema: str) -> None:
    """A schema that no answer could be held against is refused, and nothing is fetched for it."""
    asked = {"response_format": form, "response_schema": schema}
    refused = ada("POST", "/v1/conversations", **asked)

    assert (refused["_"], refused["type"]) == (422, "urn:chatapp:problem:bad-schema")


def test_what_is_deleted_is_gone(ada: Client) -> None:
    """A deleted conversation is not there any more, with its active summary and messages."""
    path = ada.conversation()
    ada("POST", f"{path}/messages", content="Hello")
    ada("POST", f"{path}/summaries")
    statuses = [ada(how, path)["_"] for how in ("DELETE", "GET", "DELETE")]

    assert statuses == [204, 404, 404]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "MjAyNi0wMS0wMSAx"])
def test_a_cursor_of_nobodys(ada: Client, cursor: str) -> None:
    """A cursor that was not handed out is refused, and is no error of ours."""
    refused = ada("GET", "/v1/conversations", cursor=cursor)

    assert (refused["_"], refused["type"]) == (422, "urn:chatapp:problem:bad-cursor")
