"""The front door: `start` puts together what was asked for and says what weakens security."""

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
    Start a PostgreSQL server, or join the one that serves `directory`.

    Safe for several processes at once. The server stays as long as any user holds it, and
    is stopped by the kernel's count of them: a killed user has let go.

    Args:
        directory: a folder whose data are kept between runs; None for a server that is
            thrown away with its data after its last user.
        say: told, in a sentence, what takes long or weakens security; None warns of the
            latter alone.
        environ: where RUNG_PG_BIN, PATH, XDG_CACHE_HOME, HOME and TMPDIR are looked up.
        major: the major version wanted.
        settings: server settings beyond ours; ignored where a running server is joined.

    Raises:
        BinariesNotFound: no PostgreSQL, or none of the version wanted or of the folder.
        ServerNotStarted: initdb or the server failed.
        EmbeddedError: no place is fit for its files, or the folder is not one of ours.
    """
    request = ServerRequest(
        environ=os.environ if environ is None else environ,
        say=say or _quiet,
        major=major,
        settings=settings,
    )
    announce = partial(_announce, say=say or _warn)
    if directory is not None:
        return join_or_open(Path(directory).absolute(), request, announce)
    identity = run_as.choose()
    announce(identity)
    return open_new(identity, request)


def _quiet(_: str) -> None:
    """Say nothing."""


def _warn(text: str) -> None:
    from warnings import warn

    warn(text, RuntimeWarning, stacklevel=4)


def _announce(identity: Identity, say: Callable[[str], None]) -> None:
    """Say that the server's account is not apart from ours, and what follows from it."""
    if identity.kind == "namespace" and os.geteuid() == 0:
        say(
            "the embedded server runs in a user namespace, because "
            f"{identity.reason}: what SQL writes on the server's side (COPY … TO a file) "
            "is written with the rights of root"
        )
