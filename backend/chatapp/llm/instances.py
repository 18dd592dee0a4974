"""
Create minimal instances of simple schemas, for the local model. Pure.

Types, required properties, constants, choices and local references are followed; an instance of a
more complex schema may be invalid, which the client sees as an error.
"""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from defusedxml import ElementTree

_DEPTH = 12
_CHARACTERS = 10_000
"""The longest text and, as JSON, about the longest list for a schema."""
_XSD = "{http://www.w3.org/2001/XMLSchema}"


def json_instance(schema_text: str | None, text: str) -> str:
    """Return a JSON text for a schema, with `text` where any string is valid."""
    if schema_text is None:
        return json.dumps({"answer": text}, ensure_ascii=False)
    schema = json.loads(schema_text)
    return json.dumps(_instance(schema, schema, text, _DEPTH), ensure_ascii=False)


def _instance(schema: Any, root: Any, text: str, depth: int) -> Any:  # noqa: ANN401 - JSON is anything
    if not isinstance(schema, dict) or depth == 0:
        return None if depth == 0 else text
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    return _composed(schema, root, text, depth)


def _composed(schema: dict[str, Any], root: Any, text: str, depth: int) -> Any:  # noqa: ANN401
    if "$ref" in schema:
        return _instance(_referred(str(schema["$ref"]), root), root, text, depth - 1)
    for key in ("oneOf", "anyOf", "allOf"):
        if schema.get(key):
            return _instance(schema[key][0], root, text, depth - 1)
    return _typed(schema, root, text, depth)


def _referred(reference: str, root: Any) -> Any:  # noqa: ANN401
    found = root
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found


def _typed(schema: dict[str, Any], root: Any, text: str, depth: int) -> Any:  # noqa: ANN401
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        wanted = schema.get("required", list(properties))
        return {name: _instance(properties.get(name, {}), root, text, depth - 1) for name in wanted}
    if kind == "array":
        item = _instance(schema.get("items", {}), root, text, depth - 1)
        most = max(1, _CHARACTERS // len(json.dumps(item)))
        return [item] * min(max(1, int(schema.get("minItems", 1))), most)
    return _scalar(kind, schema, text)


def _scalar(kind: str, schema: dict[str, Any], text: str) -> object:
    if kind in {"integer", "number"}:
        return _number(schema)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    most = int(schema.get("maxLength", len(text)))
    return text[:most].ljust(min(int(schema.get("minLength", 0)), _CHARACTERS), ".")


def _number(schema: dict[str, Any]) -> object:
    if "minimum" in schema:
        return schema["minimum"]
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + 1
    return min(0, schema.get("maximum", 0))


def xml_instance(schema_text: str | None, text: str) -> str:
    """Return an XML text, with the first element of an XML Schema where that can be read."""
    element = _first_element(schema_text)
    if element is None:
        return f"<answer>{escape(text)}</answer>"
    return _element(element, text, _DEPTH)


def _first_element(schema_text: str | None) -> Any:  # noqa: ANN401 - ElementTree's Element
    if schema_text is None:
        return None
    try:
        return ElementTree.fromstring(schema_text, forbid_dtd=True).find(f"{_XSD}element")
    except (ElementTree.ParseError, ValueError):
        return None


def _element(element: Any, text: str, depth: int) -> str:  # noqa: ANN401
    name = element.get("name") or "answer"
    children = element.findall(f"{_XSD}complexType/{_XSD}sequence/{_XSD}element")
    if depth > 0 and children:
        inner = "".join(_element(child, text, depth - 1) for child in children)
    elif element.get("type", "").endswith((":integer", ":int", ":decimal")):
        inner = "0"
    else:
        inner = escape(text)
    return f"<{name}>{inner}</{name}>"
