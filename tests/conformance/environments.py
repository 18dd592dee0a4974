"""Opens a theatre for a scheme: its database, and a folder to work in."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conformance.backends.postgres import PostgresStage
from tests.conformance.backends.sqlite import SqliteStage
from tests.conformance.directories import Place
from tests.conformance.runner import Theatre

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.embedded import EmbeddedServer

_IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where files need not be written to a disk; None: the usual place."""


@contextmanager
def theatre(scheme: str, server: EmbeddedServer | None, twin: str = "") -> Iterator[Theatre]:
    """
    Open a theatre; it is closed in the end.

    Args:
        scheme: whose driver is asked for.
        server: the server; SQLite needs none.
        twin: what is put behind the database's name, where there are two.
    """
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="conf-", dir=_IN_MEMORY)
        folder = Path(stack.enter_context(made)).resolve()
        stage: PostgresStage | SqliteStage
        if scheme == "sqlite3":
            stage = SqliteStage(_made(folder / "data"), f"chatapp{twin}.db")
        else:
            assert server is not None
            stage = PostgresStage(server, scheme, f"chatapp{twin}")
        stack.callback(stage.close)
        yield Theatre(stage, Place(_made(folder / "work")))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
