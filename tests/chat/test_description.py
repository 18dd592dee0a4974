"""
The API is as it is described: schemathesis asks what the description has, and what it has not.

Requests that fit the description go to a conversation that is there; those that do not go as
they are. The routes that end the asker's own token are left out: they have tests of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from tests.chat.serving import app_of

if TYPE_CHECKING:
    from tests.chat.serving import Client

DESCRIPTION = app_of("postgresql://nowhere/x").openapi()
# A schema or cursor that is text as described, and means nothing, is a 422.
CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 1,
        "checks": {
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "401", "404", "409", "422"],
            },
            "ignored_auth": {"enabled": False},  # asked of each route in test_owners
        },
    }
)
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION, config=CONFIG)
ASKED = SCHEMA.exclude(method="DELETE", path="/v1/account").exclude(
    method="PUT", path="/v1/account/password"
)


class Asker(NamedTuple):
    """Who asks, and about which conversation of theirs."""

    client: Client
    conversation: str


@pytest.fixture(scope="session")
def asker(anybody: Client) -> Asker:
    """Log in as somebody who asks all of it, and begin a conversation to ask about."""
    client = anybody.logged_in("fuzzer")
    return Asker(client, client.conversation().rpartition("/")[2])


@ASKED.parametrize()
@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_as_described(asker: Asker, case: Case[Any]) -> None:
    """Whatever is asked, the answer has a status, a type and a shape of its description."""
    parameters = case.path_parameters or {}
    stays = (case.method, len(parameters)) != ("DELETE", 1)
    if case.meta and case.meta.generation.mode.is_positive and "conversation_id" in parameters:
        there = asker.conversation if stays else asker.client.conversation().rpartition("/")[2]
        parameters["conversation_id"] = there
    headers = {"Authorization": asker.client.headers["authorization"]}
    case.call_and_validate(base_url=str(asker.client.http.base_url), headers=headers)


def test_everything_is_described(anybody: Client) -> None:
    """The description that is served has each route, with an example where it takes something."""
    served: Any = anybody("GET", "/openapi.json")
    operations = [of for path in served["paths"].values() for of in path.values()]

    assert {name: served[name] for name in DESCRIPTION} == DESCRIPTION
    assert len(operations) > 15
    assert all(of["summary"] and of["description"] for of in operations)
    assert all("application/problem+json" in str(of["responses"]) for of in operations)


def test_operations_have_names() -> None:
    """Each operation has a name of its own that a client's function can have."""
    ids = [of["operationId"] for path in DESCRIPTION["paths"].values() for of in path.values()]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", one) for one in ids)
    assert {"log_in", "list_conversations", "delete_conversation", "delete_message"} <= set(ids)


def test_headers_are_described(anybody: Client) -> None:
    """Each answer has an id; whoever has to log in or to wait is told so in a header."""
    answers = [
        (status, set(answer["headers"]))
        for path in DESCRIPTION["paths"].values()
        for of in path.values()
        for status, answer in of["responses"].items()
    ]
    told = anybody.http.get("/v1/account").headers

    assert all("X-Request-Id" in names for _, names in answers)
    assert all("WWW-Authenticate" in names for status, names in answers if status == "401")
    assert all("Retry-After" in names for status, names in answers if status in {"429", "503"})
    assert told["www-authenticate"] == "Bearer"
