"""
Start servers that are removed with their data after their last user.

Each has a new folder, in memory where there is space, a copy of a cached template, and settings
that trade safety for speed.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from rung.embedded import template
from rung.embedded.binaries import find
from rung.embedded.directories import scratch_folder
from rung.embedded.launcher import DataDirectory, run
from rung.embedded.pg_tools import readable_programs
from rung.embedded.server import EmbeddedServer, UsageLock

if TYPE_CHECKING:
    from rung.embedded.launcher import ServerRequest
    from rung.embedded.run_as import Identity

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def open_new(identity: Identity, request: ServerRequest) -> EmbeddedServer:
    """Start a new server on a copy of the cached template."""
    reader = identity.reader
    binaries = find(request.major, environ=request.environ, say=request.say, reader=reader)
    programs = readable_programs(binaries, identity, request.environ, request.say)
    made = template.cached(binaries, programs, request.environ, request.say)
    home = scratch_folder(reader, request.environ)
    use = UsageLock.of(home)
    directory = DataDirectory(home, home / "data", home / "s", home, signal.SIGQUIT)
    return run(
        directory,
        programs,
        binaries.version,
        SETTINGS | dict(request.settings),
        use,
        lambda: template.copy(made, directory.data),
    )
