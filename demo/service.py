"""
Start the chat service without Docker: database, migrations, a conversation over HTTP.

Ends by itself; with `--stay`, at SIGINT (Ctrl-C), SIGTERM, SIGQUIT or SIGHUP, or when its parent
process has ended, as after a SIGKILL of `make`. Everything ends with it, even if it is killed: the
service by the end of its standard input (`demo.tied`), and the database by its supervisor.
"""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from rung import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

_STAY = "--stay"
_PATIENCE_S = 60.0
_POLL_INTERVAL_S = 0.5
_ENDING = {"CHAT_SHUTDOWN_S": "3", "CHAT_ANSWER_GRACE_S": "1"}
"""Less than the service has elsewhere: nobody's answers are lost here."""
_ADA = {"username": "ada", "email": "ada@example.org", "password": "correct horse battery"}
_SCHEMA = '{"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}'


def main() -> int:
    """Start the service, hold a conversation, and stay with `--stay`."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(ending, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` has it
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    if _STAY in sys.argv[1:]:
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    try:
        _show()
    except KeyboardInterrupt:
        _say("Ended.")
    return 0


def _follow(parent: int) -> None:
    """End once this process has another parent, because its own has ended."""
    while os.getppid() == parent:
        time.sleep(_POLL_INTERVAL_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _show() -> None:
    with embedded.start(say=_say) as server:
        _say(f"PostgreSQL {server.major} runs, with nothing in it.")
        with _service(server.url("postgres")) as (process, address):
            _talk(address)
            if _STAY not in sys.argv[1:]:
                _say(f"The page was {address}/; `make serve` keeps it there.")
                return
            _tell(address, server.url("postgres"))
            process.wait()


def _tell(address: str, database: str) -> None:
    """Print the addresses, and commands to try."""
    program = os.path.relpath(Path(sys.executable).with_name("rung"))
    status = [program, "status", "--database", database, "--source", "backend/migrations"]
    _say(f"The page:     {address}/")
    _say(f"The API:      {address}/docs")
    _say(f"The database: {database}")
    _say(f"Log in as {_ADA['username']} with the password {_ADA['password']!r}.")
    _say("See what the database has, from another terminal, in this folder:")
    _say(f"  {shlex.join(status)}")
    _say("It stays until Ctrl-C.")


@contextmanager
def _service(url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.create_server(("127.0.0.1", int(os.environ.get("CHAT_PORT", "0")))) as taken:
        port = taken.getsockname()[1]
    settings = {
        "CHAT_DATABASE_URL": url,
        "CHAT_TOKEN_SECRET": secrets.token_hex(32),
        "CHAT_PORT": str(port),
        "CHAT_LOG_LEVEL": "INFO" if _STAY in sys.argv[1:] else "WARNING",
    }
    _say("The service starts, and brings the database to its schema.")
    command = [sys.executable, "-m", "demo.tied"]
    with subprocess.Popen(
        command, env=os.environ | _ENDING | settings, stdin=subprocess.PIPE
    ) as process:
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
