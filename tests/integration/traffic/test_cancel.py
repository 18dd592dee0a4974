"""`docker stop` leaves ten seconds; `rung` needs fewer for an orderly end."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from tests.integration.engine.children import begin_command, sessions
from tests.integration.engine.sites import wait_for

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site


def test_sigterm_ends_within_ten_seconds(site: Site) -> None:
    """What is under way is cancelled by itself; nothing runs on, and the ledger is clean."""
    site.add("2_c", "SELECT pg_sleep(60);")
    run = begin_command(site, "up")
    assert wait_for(lambda: sessions(site, "%pg_sleep%") == 1)
    began = time.monotonic()
    run.send_signal(signal.SIGTERM)
    said, _ = run.communicate(timeout=30)

    assert (run.returncode, time.monotonic() - began < 10) == (143, True)
    assert "cancelled in 5 s" in said
    assert sessions(site, "%pg_sleep%") == 0
    assert site.ledger() == [(1, False)]
