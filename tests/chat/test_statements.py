"""What a request sends to the database: a proxy counts the statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.chat.serving import chat

from rung.certify.proxy import CountingProxy
from rung.certify.wire import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chat.serving import Client
    from tests.servers import Database

_STATEMENTS = {"Q", "E"}
"""A simple query, and the execution of one that was parsed before."""


class Place(NamedTuple):
    """Somebody with a conversation, and the proxy that the service reaches its database by."""

    client: Client
    path: str
    proxy: CountingProxy


@pytest.fixture(scope="module")
def place(chat_database: Database) -> Iterator[Place]:
    """Serve through a proxy, and ask some questions before any are counted."""
    there: Any = conninfo_to_dict(chat_database.conninfo)
    with CountingProxy(there["host"], int(there["port"])) as proxy:
        to_proxy = make_conninfo(chat_database.conninfo, host=str(proxy.socket_dir))
        with chat(to_proxy) as client:
            ada = client.logged_in("counted")
            path = ada.conversation()
            for _ in range(6):  # psycopg prepares what it has sent five times
                ada("POST", f"{path}/messages", content="Hello")
            yield Place(ada, path, proxy)


REQUESTS = [
    ("GET", "/v1/account", {}, 1),
    ("GET", "/v1/models", {}, 1),
    ("GET", "/v1/conversations", {}, 2),
    ("GET", "/v1/usage", {}, 2),
    ("GET", "{path}", {}, 2),
    ("GET", "{path}/messages", {}, 3),
    ("GET", "{path}/summaries", {}, 3),
    ("POST", "/v1/conversations", {"title": "one"}, 4),
    ("PATCH", "{path}", {"title": "another"}, 5),
    ("POST", "{path}/messages", {"content": "And now?"}, 8),
    ("PUT", "{path}/active-summary", {"summary_id": None}, 5),
]


@pytest.mark.parametrize(("method", "path", "body", "statements"), REQUESTS)
def test_statements(
    place: Place, method: str, path: str, body: dict[str, Any], statements: int
) -> None:
    """A request asks who is asking once, on the connection that it works on, and no more."""
    url = path.format(path=place.path)
    place.proxy.start_trace()
    answer = place.client.http.request(method, url, json=body or None, headers=place.client.headers)
    sent = [one for one in place.proxy.trace if one.origin is Origin.CLIENT]

    assert answer.is_success
    assert len([one for one in sent if one.kind in _STATEMENTS]) == statements, sent


def test_an_answer_is_kept_with_one_wait(place: Place) -> None:
    """The lock of the conversation and the answer are sent at once; the server commits both."""
    before = place.proxy.counts
    place.client("POST", f"{place.path}/messages", content="And then?")
    waits = place.proxy.counts - before

    assert (waits.answers, waits.round_trips) == (7, 7)
