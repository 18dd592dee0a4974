"""
The chat service from nothing, without Docker: database, migrations, a conversation over HTTP.

Ends by itself; with `--stay`, after Ctrl-C or SIGTERM. Everything goes with it.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2

from rung import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

_STAY = "--stay"
_PATIENCE_S = 60.0
_ADA = {"username": "ada", "email": "ada@example.org", "password": "correct horse battery"}
_SCHEMA = '{"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}'


def main() -> int:
    """Start it, talk to it, and stay where that is asked for."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        _show()
    except KeyboardInterrupt:
        _say("Ended.")
    return 0


def _show() -> None:
    with embedded.start(say=_say) as server:
        _say(f"PostgreSQL {server.major} runs, with nothing in it.")
        with _service(server.url("postgres")) as (process, address):
            _talk(address)
            if _STAY not in sys.argv[1:]:
                _say(f"The API's page was {address}/docs; `make serve` keeps it there.")
                return
            _say(f"The API's page: {address}/docs")
            _say(f"Get a token as {_ADA['username']} with the password {_ADA['password']!r}.")
            _say("It stays until Ctrl-C.")
            process.wait()


@contextmanager
def _service(url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = {
        "CHAT_DATABASE_URL": url,
        "CHAT_TOKEN_SECRET": secrets.token_hex(32),
        "CHAT_PORT": str(port),
        "CHAT_LOG_LEVEL": "INFO" if _STAY in sys.argv[1:] else "WARNING",
    }
    _say("The service starts, and brings the database to its schema.")
    command = [sys.executable, "-m", "chatapp"]
    with subprocess.Popen(command, env=os.environ | settings) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _until_ready(process, address)
            yield process, address
        finally:
            process.terminate()
            process.wait()  # where it is Ctrl-C that ends us, Popen itself would not


def _until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < end:
        try:
            if httpx2.get(f"{address}/ready").is_success:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    sys.exit("demo: the service did not become ready; its log says why")


def _talk(address: str) -> None:
    with httpx2.Client(base_url=address, timeout=30) as http:
        _ask(http, "POST", "/v1/accounts", _ADA)
        login = {"name": _ADA["username"], "password": _ADA["password"]}
        token = _ask(http, "POST", "/v1/tokens", login)
        http.headers["authorization"] = f"Bearer {token['access_token']}"
        form = {"title": "A trip", "response_format": "json", "response_schema": _SCHEMA}
        conversation = f"/v1/conversations/{_ask(http, 'POST', '/v1/conversations', form)['id']}"
        _say(
            "The model is the offline one: it repeats what it is asked, in the form that is wanted."
        )
        for content in ("Where is the castle?", "And how do I get there?"):
            exchange = _ask(http, "POST", f"{conversation}/messages", {"content": content})
            _say(f"  {content}  ->  {exchange['answer']['content']}")
        _ask(http, "POST", f"{conversation}/summaries", {})
        exchange = _ask(http, "POST", f"{conversation}/messages", {"content": "Thank you."})
        _say(f"  behind a summary  ->  {exchange['answer']['content']}")
        [day] = _ask(http, "GET", "/v1/usage")["days"]
        _say(f"Used today: {day['answers']} answers, {day['total_tokens']} tokens.")


def _ask(http: httpx2.Client, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    answer = http.request(method, path, json=body)
    _say(f"{method} {path}: {answer.status_code}")
    if not answer.is_success:
        sys.exit(f"demo: {answer.text}")
    return answer.json()


def _say(text: str) -> None:
    sys.stdout.write(f"demo: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
