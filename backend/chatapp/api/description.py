"""The API's description (OpenAPI): problems as problem+json, and what each route may answer."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from chatapp.api.errors import PROBLEM
from chatapp.api.schemas import ProblemDetails

Responses = dict[int | str, dict[str, Any]]
_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}
_MEANINGS = {
    400: "The body cannot be read",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not there, or somebody else's",
    409: "Does not fit what is there",
    413: "The request is too large",
    422: "The request does not fit its description, or cannot be done",
    429: "Too many requests",
    502: "The model cannot be reached, or its answer not be used",
    503: "Not ready, or something behind the service is busy",
    504: "The model took too long",
}
_HEADERS: dict[str, dict[str, Any]] = {
    "RequestId": {
        "description": "The caller's `X-Request-Id`, or one of ours; the log's lines bear it.",
        "required": True,
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "Seconds after which it may be worth trying again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWWAuthenticate": {
        "description": "How to log in.",
        "required": True,
        "schema": {"const": "Bearer"},
    },
}
_OF_STATUSES = {
    "401": {"WWW-Authenticate": "WWWAuthenticate"},
    "429": {"Retry-After": "RetryAfter"},
    "503": {"Retry-After": "RetryAfter"},
}
_ANYWHERE = (400, 413, 422, 429, 503)
_MODELS = (502, 504)


def operation_id(route: APIRoute) -> str:
    """Name an operation after its function, for generated clients: delete_message."""
    return route.name


def problems_of(*statuses: int, models: bool = False) -> Responses:
    """Return the responses of a route in addition to those of every route."""
    these = {*statuses, *_ANYWHERE, *(_MODELS if models else ())}
    return {status: _described(_MEANINGS[status]) for status in sorted(these)}


def _described(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "content": {PROBLEM: {"schema": _SCHEMA}}}


def describe(app: FastAPI) -> None:
    """Make an application describe itself once, with the schema of its problems."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            app.openapi_schema = _with_headers(_with_problems(described))
        return app.openapi_schema

    # FastAPI's own way to extend a description.
    app.openapi = openapi  # type: ignore[method-assign]


def _with_problems(description: dict[str, Any]) -> dict[str, Any]:
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["ProblemDetails"] = problem
    return description


def _with_headers(description: dict[str, Any]) -> dict[str, Any]:
    """Describe the headers of each response."""
    description["components"]["headers"] = _HEADERS
    for operations in description["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                names = {"X-Request-Id": "RequestId", **_OF_STATUSES.get(status, {})}
                headers = {name: _header(which) for name, which in names.items()}
                response["headers"] = headers | response.get("headers", {})
    return description


def _header(which: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{which}"}


def allowed(app: FastAPI, path: str) -> str:
    """Return the methods of a path in the form of the header Allow."""
    methods = {
        method.upper()
        for template, operations in app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        for method in operations
    }
    return ", ".join(sorted(methods))
