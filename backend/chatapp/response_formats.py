"""
The forms of answers: text, JSON with a schema, XML; and why an answer violates its form. Pure.

`json_schemas` decides which schemas are accepted. XML is parsed without entities, DTDs and network
access.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from chatapp import json_schemas

if TYPE_CHECKING:
    from chatapp.values import Format

_FENCE = "```"
_MAX_ERROR = 300


def schema_fault(form: Format, schema: str | None) -> str | None:
    """Return why a schema cannot be used with a form; None where it can."""
    if schema is None:
        return None
    if form == "text":
        return "Text answers have no schema."
    if form == "json":
        try:
            json_schemas.read_schema(schema)
        except (ValueError, RecursionError) as error:
            return f"It is no JSON schema: {_short(error)}"
    return None


def answer_fault(form: Format, schema: str | None, answer: str) -> str | None:
    """Return why an answer violates its form; None where it does not."""
    if form == "json":
        return _json_fault(schema, answer)
    return _xml_fault(answer) if form == "xml" else None


def unfenced(form: Format, answer: str) -> str:
    """Remove the Markdown fence that models often put around JSON and XML."""
    text = answer.strip()
    if form == "text" or not (text.startswith(_FENCE) and text.endswith(_FENCE)):
        return answer
    return text.removesuffix(_FENCE).partition("\n")[2].strip()


def instruction(form: Format, schema: str | None) -> str | None:
    """Return the instruction to a model on the form, with its schema; None for text."""
    if form == "text":
        return None
    text = f"Answer with one {form.upper()} document and nothing else, without a Markdown fence."
    return text if schema is None else f"{text} It has to follow this schema:\n\n{schema}"


def _json_fault(schema: str | None, answer: str) -> str | None:
    try:
        value = json.loads(answer, parse_constant=json_schemas.reject_constant)
        if schema is not None:
            json_schemas.check(schema, answer, value)
    except (ValueError, RecursionError) as error:
        return f"The answer is not the JSON that was asked for: {_short(error)}"
    return None


def _xml_fault(answer: str) -> str | None:
    try:
        ElementTree.fromstring(answer.strip(), forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        return f"The answer is not well-formed XML: {_short(error)}"
    return None


def _short(error: Exception) -> str:
    line = str(error).partition("\n")[0] or type(error).__name__
    return line if len(line) <= _MAX_ERROR else f"{line[:_MAX_ERROR]}…"
