"""
Measure a request to the chat service against minimal FastAPI and psycopg code for it.

`python -m bench.service`: CPU time of the server's process for a request, alternating on one
embedded server, so that other work of the machine affects both. The figure is the ratio.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rung import embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Request = tuple[str, str, object]

_PASSWORD = "correct horse battery"
_LIST = "/v1/conversations"
_WELL = {200, 201}
_TICKS = os.sysconf("SC_CLK_TCK")


class Served(NamedTuple):
    """A server's process, and an open connection to it."""

    process: subprocess.Popen[bytes]
    client: http.client.HTTPConnection
    headers: dict[str, str]

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Send a request, and read the response."""
        sent = None if body is None else json.dumps(body)
        self.client.request(method, path, sent, self.headers | {"content-type": "application/json"})
        answer = self.client.getresponse()
        text = answer.read()
        assert answer.status in _WELL, text
        return json.loads(text)

    def processor(self) -> float:
        """Return the CPU seconds of the process, in user mode and in the kernel."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a line for each kind of request."""
    parser = argparse.ArgumentParser(prog="python -m bench.service", description=__doc__)
    parser.add_argument("--requests", type=int, default=200, help="in each round")
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args(arguments)
    with embedded.start() as server, _chat(server.url("postgres")) as chat:
        name = f"ada{secrets.token_hex(4)}"
        who = {"username": name, "email": f"{name}@example.org", "password": _PASSWORD}
        user = chat.ask("POST", "/v1/accounts", who)["id"]
        token = chat.ask("POST", "/v1/tokens", {"name": name, "password": _PASSWORD})
        chat.headers["authorization"] = f"Bearer {token['access_token']}"
        begun = [
            chat.ask("POST", "/v1/conversations", {"title": "A trip"})["id"] for _ in range(20)
        ]
        last = f"/v1/conversations/{begun[-1]}/messages"
        for _ in range(10):
            chat.ask("POST", last, {"content": "Where is the castle?"})
        with _bare(server.url("postgres"), user) as bare:
            _compare("list 20 conversations", (chat, bare), given, lambda: ("GET", _LIST, None))
            _compare("list 20 messages", (chat, bare), given, lambda: ("GET", last, None))
            _compare("ask in a new conversation", (chat, bare), given, _asking(chat))
    return 0


def _asking(chat: Served) -> Callable[[], Request]:
    """Begin a conversation for every ten questions, so that each round reads equally much."""
    numbers = count()
    paths: list[str] = []

    def following() -> Request:
        if next(numbers) % 10 == 0:
            chat.client.close()
            paths.append(f"{_LIST}/{chat.ask('POST', _LIST, {'title': 'A trip'})['id']}/messages")
        return "POST", paths[-1], {"content": "Where is the castle?"}

    return following


def _compare(
    what: str,
    both: tuple[Served, Served],
    given: argparse.Namespace,
    following: Callable[[], Request],
) -> None:
    rounds = []
    for _ in range(given.rounds + 1):
        requests = [following() for _ in range(given.requests)]
        rounds.append([_round(one, requests) for one in both])
    del rounds[0]  # it warms up
    ours, theirs = (statistics.median(one[which] for one in rounds) for which in (0, 1))
    ratios = sorted(one[0] / one[1] for one in rounds)
    spread = f"{ratios[0]:.2f}-{ratios[-1]:.2f} of {len(rounds)} rounds"
    print(
        f"{what}: {ours * 1000:.2f} ms against {theirs * 1000:.2f} ms, "
        f"ratio {statistics.median(ratios):.2f} ({spread})"
    )


def _round(served: Served, requests: list[Request]) -> float:
    """Return the CPU time of one request, from requests in sequence."""
    served.client.close()  # the server ends one that idles
    before = served.processor()
    for request in requests:
        served.ask(*request)
    return (served.processor() - before) / len(requests)


@contextmanager
def _chat(database: str) -> Iterator[Served]:
    settings = {
        "CHAT_DATABASE_URL": database,
        "CHAT_TOKEN_SECRET": secrets.token_hex(32),
        "CHAT_RATE_PER_MINUTE": "1e9",
        "CHAT_RATE_BURST": str(10**9),
    }
    with _started("chatapp", "CHAT_PORT", settings, "/ready") as served:
        yield served


@contextmanager
def _bare(database: str, user: str) -> Iterator[Served]:
    settings = {"BARE_DATABASE": database, "BARE_USER": user}
    with _started("bench.bare", "BARE_PORT", settings, "/docs") as served:
        yield served


@contextmanager
def _started(module: str, port: str, settings: dict[str, str], ready: str) -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
    environment = os.environ | settings | {port: str(number)}
    log = subprocess.DEVNULL  # as many lines as in production, to a place that keeps none
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, env=environment, stderr=log) as process:
        client = http.client.HTTPConnection("127.0.0.1", number, timeout=60)
        try:
            _until_ready(process, client, ready)
            yield Served(process, client, {})
        finally:
            client.close()
            process.terminate()


def _until_ready(
    process: subprocess.Popen[bytes], client: http.client.HTTPConnection, path: str
) -> None:
    while process.poll() is None:
        try:
            client.request("GET", path)
            answer = client.getresponse()
            answer.read()
            if answer.status in _WELL:
                return
        except OSError:
            client.close()
        time.sleep(0.1)
    sys.exit("bench: a server did not start")


if __name__ == "__main__":
    sys.exit(main())
