"""The entry point of the package: `start` starts a server, and reports what weakens security."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rung.embedded import run_as
from rung.embedded.ephemeral import open_new
from rung.embedded.launcher import ServerRequest
from rung.embedded.persistent import join_or_open

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rung.embedded.run_as import Identity
    from rung.embedded.server import EmbeddedServer

_NO_SETTINGS: Mapping[str, str] = {}


def start(
    directory: Path | None = None,
    *,
    say: Callable[[str], None] | None = None,
    environ: Mapping[str, str] | None = None,
    major: int | None = None,
    settings: Mapping[str, str] = _NO_SETTINGS,
) -> EmbeddedServer:
    """
    Start a PostgreSQL server, or connect to the running one of `directory`.

    Safe for several processes at once. The server runs until its last user ends; the kernel counts
    the users by their locks, so a killed user counts as ended.

    Args:
        directory: a folder for persistent data; None for a server that is removed with its data
            after its last user.
        say: receives a sentence about what takes long or weakens security; None warns of the
            latter only.
        environ: read for RUNG_PG_BIN, PATH, XDG_CACHE_HOME, HOME and TMPDIR.
        major: the major version.
        settings: additional server settings; ignored where the server runs already.

    Raises:
        BinariesNotFound: no PostgreSQL, or none of this version or of the folder's version.
        ServerNotStarted: initdb or the server failed.
        EmbeddedError: no folder is usable for its files, or something else created `directory`.
    """
    request = ServerRequest(
        environ=os.environ if environ is None else environ,
        say=say or _ignore,
        major=major,
        settings=settings,
    )
    announce = partial(_announce, say=say or _warn)
    if directory is not None:
        return join_or_open(Path(directory).absolute(), request, announce)
    identity = run_as.choose()
    announce(identity)
    return open_new(identity, request)


def _ignore(_: str) -> None:
    """Ignore a message."""


def _warn(text: str) -> None:
    from warnings import warn

    warn(text, RuntimeWarning, stacklevel=4)


def _announce(identity: Identity, say: Callable[[str], None]) -> None:
    """Report that the server has the rights of the current user, and the consequence."""
    if identity.kind == "namespace" and os.geteuid() == 0:
        say(
            f"the embedded server runs in a user namespace because {identity.reason}: what SQL "
            "writes on the server (COPY … TO a file) is written with the rights of root"
        )
