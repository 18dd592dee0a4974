"""JSON schemas from users: how much work one may be."""

from __future__ import annotations

import json

import pytest

from chatapp.llm.instances import json_instance
from chatapp.response_formats import answer_fault, schema_fault


def doubling(times: int, kind: str) -> str:
    """A schema of a kilobyte that has a part 2**times times when it is written out."""
    steps = {f"s{n}": {kind: [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(times)}
    return json.dumps({"$defs": {**steps, f"s{times}": {"type": "null"}}, "$ref": "#/$defs/s0"})


def nested(times: int) -> object:
    """A schema in which each part looks through what the ones below it have left over."""
    inner: object = {"properties": {"a": True}}
    for _ in range(times):
        inner = {"unevaluatedProperties": False, "allOf": [inner]}
    return inner


@pytest.mark.parametrize("kind", ["allOf", "anyOf", "oneOf"])
def test_a_schema_that_would_take_days(kind: str) -> None:
    """Parts that double with each reference are counted, not checked; a few are taken."""
    refused = schema_fault("json", doubling(60, kind))

    assert refused is not None
    assert "more than 2000 parts" in refused
    assert schema_fault("json", doubling(4, kind)) is None


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"items": {"$ref": "#/items"}}, "refers to itself"),
        ({"properties": {"next": {"$ref": "#"}}}, "a reference is written"),
        ({"$ref": "http://127.0.0.1:1/x"}, "a reference is written"),
        ({"$ref": "file:///etc/passwd"}, "a reference is written"),
        ({"$dynamicRef": "#node", "$dynamicAnchor": "node"}, "a reference is written"),
        ({"$ref": "#/x/0"}, "it has no #/x/0"),
        ({"items": {"$id": "urn:a", "$ref": "#/x"}, "x": {}}, "a name ($id)"),
        ({"enum": list(range(2000))}, "more than 2000 parts"),
        ({"allOf": [{"pattern": f"\\w{{{n}}}"} for n in range(40)]}, "more than 2000 parts"),
        ({"patternProperties": {f"^{n}": {} for n in range(40)}}, "more than 2000 parts"),
        ({"pattern": "(.{90}){90}"}, "no JSON schema"),
        (nested(30), "more than 2000 parts"),
    ],
)
def test_a_schema_that_is_not_taken(schema: object, reason: str) -> None:
    """A schema is finite, whole in itself, and no larger than can be checked."""
    assert reason in str(schema_fault("json", json.dumps(schema)))


def test_references_into_the_schema() -> None:
    """A reference is read as JSON pointers are, escapes and places in lists included."""
    words = {"a/b c": {"anyOf": [{"type": "null"}, {"type": "integer"}]}}
    schema = json.dumps({"$ref": "#/$defs/a~1b%20c/anyOf/1", "$defs": words})

    assert schema_fault("json", schema) is None
    assert (answer_fault("json", schema, "1"), answer_fault("json", schema, "null") is None) == (
        None,
        False,
    )


def test_an_answer_too_long_for_its_schema() -> None:
    """A large schema is not checked against a large answer; a small one is."""
    answer = json.dumps(["x"] * 20_000)
    large = json.dumps({"items": {"allOf": [{"type": "string"}] * 900}})

    assert "too long" in str(answer_fault("json", large, answer))
    assert answer_fault("json", '{"items": {"type": "string"}}', answer) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 10**12},
        {"type": "array", "minItems": 10**12},
        {"type": "array", "minItems": 999, "items": {"type": "array", "minItems": 999}},
        {"type": "string", "maxLength": 2.0, "minLength": 1.0},
        {"$schema": "http://json-schema.org/draft-04/schema#", "examples": 5},
    ],
    ids=json.dumps,
)
def test_what_a_schema_can_ask_of_the_local_model(schema: object) -> None:
    """However much is asked for, what is made is bounded."""
    assert len(json_instance(json.dumps(schema), "some words")) < 100_000
