"""A migration behind a long reader, under load: requests wait no longer than its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench.traffic import Measured, latencies, measure, prepare

from rung.embedded.binaries import find

if TYPE_CHECKING:
    from tests.servers import Database

_HOLD = 3.0
_LIMIT = 0.2
_MARGIN = 0.1


def _measured(database: Database, limit: float | None) -> Measured:
    pgbench = find(database.major).bin_dir / "pgbench"
    if not pgbench.is_file():
        pytest.skip("these PostgreSQL programs have no pgbench")
    return measure(database.conninfo, pgbench, _HOLD, limit)


@pytest.mark.slow
def test_traffic_goes_on(database: Database) -> None:
    """
    A request waits for its limit at the most, and a little; without a limit all of them stop.

    By the server's own clock. The client's counts from when a request was due, and is compared
    with the same load without us. How long the machine kept even the watcher waiting is added.
    """
    prepare(database.conninfo)
    calm, limited, stopped = (_measured(database, limit) for limit in (None, _LIMIT, 0.0))
    noise = calm.latencies.longest + limited.gap

    assert calm.waited == 0
    assert limited.tries > 1
    assert 0 < limited.waited < _LIMIT + _MARGIN + limited.gap
    assert limited.latencies.longest < _LIMIT + _MARGIN + noise
    assert min(stopped.waited, stopped.latencies.longest) > _HOLD / 2


def test_the_figures_of_a_load() -> None:
    """The median, the 99th of 100, and the longest."""
    found = latencies([float(number) for number in range(100, 0, -1)])

    assert found == (100, 51.0, 100.0, 100.0)
