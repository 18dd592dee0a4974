"""
JSON schemas that users wrote: which are taken, and whether an answer follows one. Pure.

Whoever writes a schema decides how much work checking it is, and references multiply that: one
of a kilobyte can ask for more than a day. So its parts are counted with every reference written
out, before anything is checked; what refers to itself has no end, and is refused. Regular
expressions run in linear time, and no reference is fetched from anywhere.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

_MOST_PARTS = 2_000
_PATTERN = 50
"""A regular expression counts for so many parts: compiling one takes milliseconds."""
_MOST_PATTERN = 2**20
"""Bytes that a compiled one may have."""
_MOST_WORK = 40_000_000
"""Parts of a schema times characters of an answer; seconds at the very worst."""
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_NAMES = ("$id", "id")
_LOOKS_AGAIN = ("unevaluatedProperties", "unevaluatedItems")
_AGAIN = 3
"""These have all that is below them checked once more, and that for each of them."""


def read_schema(text: str) -> tuple[Any, int]:
    """
    A validator for a schema, and how many parts the schema has.

    Raises:
        ValueError: it is no JSON schema, or one that is too much work.
        RecursionError: it is nested too deeply to be read.
    """
    read = json.loads(text, parse_constant=no_number)
    if not isinstance(read, dict | bool):
        raise ValueError("it is neither an object nor true or false")  # noqa: TRY004 - a fault of the text
    parts = _Parts(read).of(read)
    options = jsonschema_rs.RegexOptions(size_limit=_MOST_PATTERN)
    return jsonschema_rs.validator_for(read, offline=True, pattern_options=options), parts


def check(schema: str, answer: str, value: object) -> None:
    """
    Check an answer, as text and as the value that it is.

    Raises:
        ValueError: it does not follow the schema, or is too long for one of that size.
        RecursionError: it is nested too deeply.
    """
    validator, parts = read_schema(schema)
    if parts * len(answer) > _MOST_WORK:
        raise ValueError("it is too long to be checked against a schema of that size")
    validator.validate(value)


def no_number(text: str) -> float:
    """What `json.loads` calls for NaN and the infinities, which JSON does not have."""
    raise ValueError(f"{text} is no JSON number")


class _Parts:
    """Counts objects, lists and what stands in lists, with references written out."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._counted: dict[int, int | None] = {}
        self._refers = self._has_names = False

    def of(self, node: object) -> int:
        if not isinstance(node, dict | list):
            return 1
        if id(node) not in self._counted:
            self._counted[id(node)] = None
            self._counted[id(node)] = self._written_out(node)
        found = self._counted[id(node)]
        if found is None:
            raise ValueError("it refers to itself")
        return found

    def _written_out(self, node: dict[str, Any] | list[Any]) -> int:
        inner = node if isinstance(node, list) else [v for v in node.values() if _holds(v)]
        parts = 1 + sum(map(self.of, inner))
        if isinstance(node, dict):
            parts += sum(map(self.of, self._referred(node))) + _PATTERN * _patterns(node)
            parts *= _AGAIN if any(key in node for key in _LOOKS_AGAIN) else 1
        if parts > _MOST_PARTS:
            raise ValueError(f"it has more than {_MOST_PARTS} parts, its references written out")
        return parts

    def _referred(self, node: dict[str, Any]) -> list[object]:
        references = [node[key] for key in _REFERENCES if isinstance(node.get(key), str)]
        named = node is not self._root and any(isinstance(node.get(n), str) for n in _NAMES)
        self._refers, self._has_names = self._refers or bool(references), self._has_names or named
        if self._refers and self._has_names:
            raise ValueError("it has references, and a part with a name ($id) of its own")
        return [self._target(reference) for reference in references]

    def _target(self, reference: str) -> object:
        if not reference.startswith("#/"):
            raise ValueError(f"a reference is written #/…, and not {reference}")
        found = self._root
        for part in unquote(reference).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(name)] if isinstance(found, list) else found[name]  # type: ignore[index]
            except (KeyError, IndexError, TypeError, ValueError):
                raise ValueError(f"it has no {reference}") from None
        return found


def _patterns(node: dict[str, Any]) -> int:
    named = node.get("patternProperties")
    return isinstance(node.get("pattern"), str) + (len(named) if isinstance(named, dict) else 0)


def _holds(value: object) -> bool:
    return isinstance(value, dict | list)
