"""
Accept JSON schemas of users within bounds, and validate answers by them. Pure.

The author of a schema decides how much work a validation is, and references multiply it: a schema
of a kilobyte can take more than a day. So the parts are counted with every reference expanded
before anything is validated; recursive schemas are rejected. Regular expressions run in linear
time, and no reference is fetched.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

_MAX_PARTS = 2_000
_PATTERN = 50
"""The parts that a regular expression counts for: compiling one takes milliseconds."""
_MAX_PATTERN_BYTES = 2**20
"""The most bytes of a compiled regular expression."""
_MAX_WORK = 40_000_000
"""The most parts of a schema times characters of an answer: seconds in the worst case."""
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_NAMES = ("$id", "id")
_REVISITS = ("unevaluatedProperties", "unevaluatedItems")
_REVISIT_FACTOR = 3
"""Each of these keywords validates everything below it once more."""


def read_schema(text: str) -> tuple[Any, int]:
    """
    Return a validator for a schema, and the number of the schema's parts.

    Raises:
        ValueError: it is not a JSON schema, or too much work.
        RecursionError: it is nested too deeply to be parsed.
    """
    document = json.loads(text, parse_constant=reject_constant)
    if not isinstance(document, dict | bool):
        raise ValueError("it is neither an object nor true or false")  # noqa: TRY004 - a fault of the text
    parts = _Parts(document).of(document)
    options = jsonschema_rs.RegexOptions(size_limit=_MAX_PATTERN_BYTES)
    return jsonschema_rs.validator_for(document, offline=True, pattern_options=options), parts


def check(schema: str, answer: str, value: object) -> None:
    """
    Validate an answer, given as text and as its parsed value.

    Raises:
        ValueError: it does not follow the schema, or is too long for a schema of that size.
        RecursionError: it is nested too deeply.
    """
    validator, parts = read_schema(schema)
    if parts * len(answer) > _MAX_WORK:
        raise ValueError("it is too long to be checked against a schema of that size")
    validator.validate(value)


def reject_constant(text: str) -> float:
    """Reject NaN and the infinities, which JSON does not have; `json.loads` calls this."""
    raise ValueError(f"{text} is no JSON number")


class _Parts:
    """Counts objects, lists and the items of lists, with references expanded."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._counted: dict[int, int | None] = {}
        self._has_references = self._has_names = False

    def of(self, node: object) -> int:
        if not isinstance(node, dict | list):
            return 1
        if id(node) not in self._counted:
            self._counted[id(node)] = None
            self._counted[id(node)] = self._count(node)
        node = self._counted[id(node)]
        if node is None:
            raise ValueError("it refers to itself")
        return node

    def _count(self, node: dict[str, Any] | list[Any]) -> int:
        inner = node if isinstance(node, list) else [v for v in node.values() if _holds(v)]
        parts = 1 + sum(map(self.of, inner))
        if isinstance(node, dict):
            parts += sum(map(self.of, self._targets(node))) + _PATTERN * _patterns(node)
            parts *= _REVISIT_FACTOR if any(key in node for key in _REVISITS) else 1
        if parts > _MAX_PARTS:
            raise ValueError(f"it has more than {_MAX_PARTS} parts, its references written out")
        return parts

    def _targets(self, node: dict[str, Any]) -> list[object]:
        references = [node[key] for key in _REFERENCES if isinstance(node.get(key), str)]
        has_id = node is not self._root and any(isinstance(node.get(n), str) for n in _NAMES)
        self._has_references, self._has_names = (
            self._has_references or bool(references),
            self._has_names or has_id,
        )
        if self._has_references and self._has_names:
            raise ValueError("it has references, and a part with a name ($id) of its own")
        return [self._target(reference) for reference in references]

    def _target(self, reference: str) -> object:
        if not reference.startswith("#/"):
            raise ValueError(f"a reference is written #/…, and not {reference}")
        node = self._root
        for part in unquote(reference).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(name)] if isinstance(node, list) else node[name]  # type: ignore[index]
            except (KeyError, IndexError, TypeError, ValueError):
                raise ValueError(f"it has no {reference}") from None
        return node


def _patterns(node: dict[str, Any]) -> int:
    has_id = node.get("patternProperties")
    return isinstance(node.get("pattern"), str) + (len(has_id) if isinstance(has_id, dict) else 0)


def _holds(value: object) -> bool:
    return isinstance(value, dict | list)
