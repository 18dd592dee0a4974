"""The forms of answers, and the smallest answers that have them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from chatapp.llm.instances import json_instance, xml_instance
from chatapp.response_formats import answer_fault, instruction, schema_fault, unfenced

if TYPE_CHECKING:
    from chatapp.values import Format

CITY = '{"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}'


@pytest.mark.parametrize(
    ("form", "schema", "answer"),
    [
        ("text", None, "anything"),
        ("json", None, "[1, null]"),
        ("json", CITY, '{"city": "Kraków", "more": 1}'),
        ("json", "true", "1"),
        ("xml", None, ' <a b="c">d</a> '),
        ("xml", "anything at all", "<?xml version='1.0'?><a/>"),
    ],
)
def test_an_answer_that_has_its_form(form: Format, schema: str | None, answer: str) -> None:
    """What follows the schema, or is well-formed, is taken."""
    assert answer_fault(form, schema, answer) is None


@pytest.mark.parametrize(
    ("form", "schema", "answer"),
    [
        ("json", None, "Sure!"),
        ("json", None, ""),
        ("json", None, "NaN"),
        ("json", None, "[" * 100_000),
        ("json", CITY, '{"town": "Kraków"}'),
        ("json", "false", "1"),
        ("xml", None, "Sure!"),
        ("xml", None, "<a><b></a>"),
        ("xml", None, "<a/><b/>"),
        ("xml", None, "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"),
        ("xml", None, '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'),
    ],
)
def test_an_answer_that_has_not(form: Format, schema: str | None, answer: str) -> None:
    """What does not is refused with a reason that is no longer than a line."""
    fault = answer_fault(form, schema, answer)

    assert fault is not None
    assert "\n" not in fault
    assert len(fault) < 400


def test_a_hostile_pattern_takes_no_time() -> None:
    """A schema's regular expression that would take for ever elsewhere is done at once."""
    schema = json.dumps({"type": "string", "pattern": "^(a+)+$"})

    assert answer_fault("json", schema, json.dumps("a" * 5000 + "b")) is not None


@pytest.mark.parametrize(
    ("form", "schema"),
    [("text", "x"), ("json", "{"), ("json", '"x"'), ("json", "Infinity"), ("json", "[" * 99_999)],
)
def test_a_schema_that_cannot_be_used(form: Format, schema: str) -> None:
    """A text that is no schema for its form is told apart."""
    assert schema_fault(form, schema) is not None


@pytest.mark.parametrize(
    ("form", "answer", "inside"),
    [
        ("json", '```json\n{"a": 1}\n```', '{"a": 1}'),
        ("xml", " ```\n<a/>\n``` ", "<a/>"),
        ("text", "```\ncode\n```", "```\ncode\n```"),
        ("json", '{"a": "```"}', '{"a": "```"}'),
    ],
)
def test_a_fence_is_taken_off(form: Format, answer: str, inside: str) -> None:
    """What models put around JSON and XML is no part of it; text is left as it is."""
    assert unfenced(form, answer) == inside


def test_a_model_is_told_the_schema_as_it_was_written() -> None:
    """The text of a schema is not parsed and written again."""
    told = instruction("json", '{ "b":1,\t"a":2 }')

    assert told is not None
    assert told.endswith('{ "b":1,\t"a":2 }')
    assert instruction("text", None) is None


SCHEMAS = [
    {},
    {"type": "string", "minLength": 40},
    {"type": "string", "maxLength": 2},
    {"type": "integer", "minimum": 3},
    {"type": "number", "exclusiveMinimum": 3},
    {"type": "integer", "maximum": -3},
    {"type": ["boolean", "null"]},
    {"type": "null"},
    {"enum": [7, 8]},
    {"const": None},
    {"type": "array", "minItems": 2, "items": {"type": "integer"}},
    {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
    {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "integer"}}},
    {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}},
    {"type": "object", "required": ["x"]},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_the_smallest_answer_of_a_schema(schema: object) -> None:
    """What is made for a simple schema follows it."""
    text = json.dumps(schema)

    assert answer_fault("json", text, json_instance(text, "some words")) is None


@pytest.mark.parametrize("schema", [None, "nothing", "<a/>", '<!DOCTYPE a [<!ENTITY b "c">]><a/>'])
def test_an_xml_answer_without_a_readable_schema(schema: str | None) -> None:
    """Whatever describes it, the answer is well-formed."""
    made = xml_instance(schema, "a < b & c")

    assert (made, answer_fault("xml", None, made)) == ("<answer>a &lt; b &amp; c</answer>", None)
