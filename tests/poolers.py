"""
A fixture that gives tests a PgBouncer before the worker's server, in a mode of their choice.

Where there is none, tests that need one are skipped with the reason; with
RUNG_TEST_REQUIRE_POOLER=1 they fail instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import conninfo

from rung.embedded.run_as import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers import Database

_LONGEST_START = 10.0
_PLACES = "/usr/sbin:/usr/local/sbin"


@dataclass(frozen=True, slots=True)
class Pooler:
    """A PgBouncer that runs; it serves every database of the server under its own name."""

    port: int
    user: str

    def url(self, database: Database, query: str = "") -> str:
        """The database through the pooler."""
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{database.name}?{query}"


@pytest.fixture
def pooler(database: Database, tmp_path: Path) -> Iterator[Callable[..., Pooler]]:
    """Give a function that starts a PgBouncer: `transaction` or `session`, and more settings."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:{_PLACES}")
    if program is None:
        if os.environ.get("RUNG_TEST_REQUIRE_POOLER") == "1":
            pytest.fail("no pgbouncer")
        pytest.skip("no pgbouncer: install the package of that name")
    running = []

    def start(mode: str, **settings: str) -> Pooler:
        made = _start(program, database, {"pool_mode": mode, **settings})
        running.append(made)
        return made.__enter__()

    yield start
    for made in running:
        made.__exit__(None, None, None)


@contextmanager
def _start(program: str, database: Database, settings: dict[str, str]) -> Iterator[Pooler]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = {
        key: str(value) for key, value in conninfo.conninfo_to_dict(database.conninfo).items()
    }
    folder = Path(tempfile.mkdtemp(prefix="rung-pooler-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "ini").write_text(_ini(port, server, settings))
    log = (folder / "log").open("wb")
    process = subprocess.Popen([program, folder / "ini"], stdout=log, stderr=log, **_account())
    try:
        _await(process, port, folder / "log")
        yield Pooler(port, server["user"])
    finally:
        process.terminate()
        process.wait()
        log.close()
        shutil.rmtree(folder)


def _account() -> dict[str, Any]:
    """PgBouncer refuses root as the server does."""
    identity = choose()
    if identity.kind == "namespace":
        pytest.skip(f"pgbouncer can be given no account: {identity.reason}")
    if identity.kind == "self":
        return {}
    return {"user": identity.uid, "group": identity.gid, "extra_groups": []}


def _ini(port: int, server: dict[str, str], settings: dict[str, str]) -> str:
    place = " ".join(f"{key}={server[key]}" for key in ("host", "port", "user") if key in server)
    lines = {
        "listen_addr": "127.0.0.1",
        "listen_port": str(port),
        "unix_socket_dir": "",
        "auth_type": "any",
        **settings,
    }
    return f"[databases]\n* = {place}\n[pgbouncer]\n" + "".join(
        f"{key} = {value}\n" for key, value in lines.items()
    )


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _LONGEST_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"pgbouncer did not start: {log.read_text()}")
            time.sleep(0.02)
        else:
            return
