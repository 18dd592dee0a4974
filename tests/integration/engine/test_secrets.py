"""The password of a connection is in no error, whatever is wrong with the connection."""

from __future__ import annotations

import socket
import traceback
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import RungError
from rung.migrator import Migrator
from rung.render.errors import full_text

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.engine.sites import Site

_SECRET = "hunter2secret"
_URLS = [
    f"postgresql://ada:{_SECRET}@127.0.0.1:1/chat",
    f"postgres://ada:{_SECRET}@nowhere.invalid/chat",
    f"postgres://ada:{_SECRET}@127.0.0.1:port/chat",
    f"postgres://ada:{_SECRET}%zz@127.0.0.1:1/chat",
    f"postgres://ada:{_SECRET}/x@127.0.0.1:1/chat",
    f"postgres://ada:x/{_SECRET}@127.0.0.1:1/chat",
    f"postgres://ada:1/{_SECRET}@127.0.0.1:1/chat",
    f"postgres://ada:x?{_SECRET}@127.0.0.1:1/chat",
    f"postgres://ada:{_SECRET}?x@127.0.0.1:1/chat",
    f"postgres://ada:x#{_SECRET}@127.0.0.1:1/chat",
    f"postgres://ada:{_SECRET}@127.0.0.1:1/chat?nonsense=1&sslmode=maybe",
    f"postgres://ada@127.0.0.1:1/chat?password={_SECRET}",
    f"postgres://ada@127.0.0.1:1/chat?password={_SECRET}&connect_timeout=x",
    f"host=127.0.0.1 port=1 password={_SECRET}",
    f"host=127.0.0.1 port=1 password={_SECRET} nonsense=1",
    f"host=127.0.0.1 port=1 password='{_SECRET}",
    f"mysql://ada:{_SECRET}@127.0.0.1/chat",
    f"ada:{_SECRET}@127.0.0.1/chat",
]


@pytest.mark.parametrize("url", _URLS)
def test_no_error_shows_the_password(url: str, tmp_path: Path) -> None:
    """Neither the error nor what it was raised from has any of the password."""
    error = failing(RungError, lambda: Migrator(url, tmp_path).version())
    told = "".join(traceback.format_exception(error)) + repr(error)

    shown = [line for line in told.splitlines() if _SECRET in line]
    assert shown == []


def test_a_server_that_repeats_the_password(tmp_path: Path) -> None:
    """Where the other side sends the password back in its refusal it is masked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_refuse, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        url = f"postgres://ada:{_SECRET}@127.0.0.1:{port}/chat?sslmode=disable&gssencmode=disable"
        error = failing(RungError, lambda: Migrator(url, tmp_path).version())

    assert _SECRET not in full_text(error)
    assert "***" in str(error)


def _refuse(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        fields = f"SFATAL\0VFATAL\0C28P01\0Mwrong: {_SECRET}\0\0".encode()
        connection.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)


def test_the_password_is_in_no_result(site: Site) -> None:
    """Status and history of a run with a password do not have it."""
    url = site.database.conninfo + f" password={_SECRET}"
    site.add_tables(1).migrator(url).up()
    shown = (site.migrator(url).status(), site.migrator(url).history(), site.events)

    assert _SECRET not in repr(shown)
    assert site.ask("SELECT * FROM schema_migrations_history h WHERE h::text LIKE '%hunter%'") == []
