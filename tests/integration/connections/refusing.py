"""A door before a server that refuses `options` at connect, and passes all else through."""

from __future__ import annotations

import socket
import struct
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

from psycopg import conninfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Database

_NO = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0"


@contextmanager
def refusing_options(database: Database) -> Iterator[str]:
    """The URL of a database behind such a door."""
    server = conninfo.conninfo_to_dict(database.conninfo)
    path = f"{server['host']}/.s.PGSQL.{server['port']}"
    with socket.create_server(("127.0.0.1", 0)) as door:
        Thread(target=_serve, args=(door, path), daemon=True).start()
        port = door.getsockname()[1]
        place = f"{server['user']}@127.0.0.1:{port}/{database.name}"
        yield f"postgresql://{place}?sslmode=disable&gssencmode=disable"


def _serve(door: socket.socket, path: str) -> None:
    with suppress(OSError):
        while True:
            client, _ = door.accept()
            Thread(target=_admit, args=(client, path), daemon=True).start()


def _admit(client: socket.socket, path: str) -> None:
    with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
        start = client.recv(8192)
        if b"options\0" in start:
            client.sendall(b"E" + struct.pack(">i", len(_NO) + 4) + _NO)
            return
        server.connect(path)
        server.sendall(start)
        back = Thread(target=_pass, args=(server, client), daemon=True)
        back.start()
        _pass(client, server)
        back.join()


def _pass(origin: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := origin.recv(65536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
