"""
Measure what a migration does to traffic: an open loop of requests on a table with a long reader.

`python -m bench.traffic` prints the latencies without a migration, with one under the default
lock_timeout, and with one without lock_timeout. The load is pgbench's with `--rate`: a request's
latency starts when it is due, so that requests that could not be sent count too. Meanwhile a
watcher queries the server for sessions that are queued behind the migration, and since when.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, Self

import psycopg

from rung.embedded import start
from rung.embedded.binaries import find
from rung.events import LockRefused, StepStarted
from rung.migrator import Migrator

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE = 100
_REQUEST = "\\set id random(1, 1000)\nSELECT v FROM app.traffic WHERE id = :id;\n"
_TABLE = (
    "CREATE SCHEMA app; CREATE TABLE app.traffic (id int PRIMARY KEY, v int);"
    "INSERT INTO app.traffic SELECT n, n FROM generate_series(1, 1000) n;"
)
_FIRST = 0.5
"""Seconds of load before the reader begins, and from there to the migration."""
_AFTER = 1.5
"""Seconds of load behind the reader's end: the migration has to find its gap in them."""
_WAITS = """
SELECT extract(epoch FROM max(clock_timestamp() - l.waitstart)) FROM pg_locks l
  JOIN pg_stat_activity a USING (pid)
 WHERE NOT l.granted AND l.relation = 'app.traffic'::regclass AND a.application_name = 'pgbench'
"""


class Latencies(NamedTuple):
    """The latencies of one load, in seconds."""

    requests: int
    median: float
    p99: float
    longest: float


@dataclass
class Watcher:
    """Observes how long requests wait for a lock, by the server's clock."""

    conninfo: str
    query: str = _WAITS
    """Gives the seconds that somebody has waited by now, or null."""
    longest: float = 0.0
    gap: float = 0.0
    """The longest time between two looks: how far the machine kept even the watcher waiting."""
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            last = time.monotonic()
            while not self._over.wait(0.02):
                row = connection.execute(self.query).fetchone()
                self.longest = max(self.longest, float(row[0] or 0.0) if row else 0.0)
                now = time.monotonic()
                self.gap, last = max(self.gap, now - last), now


class Measured(NamedTuple):
    """One load, and the lock waits that the server showed."""

    latencies: Latencies
    waited: float
    """Seconds that a request waited for a lock at the longest."""
    gap: float
    """Seconds that the machine kept the watcher waiting at the longest."""
    tries: int
    """How often the migration was sent."""


def prepare(conninfo: str) -> None:
    """Create the table that the requests read."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(_TABLE)


def measure(conninfo: str, pgbench: Path, hold: float, limit: float | None) -> Measured:
    """
    Put load on the table, and migrate it behind a reader.

    Args:
        conninfo: a database with the table.
        pgbench: the program.
        hold: seconds for which the reader holds its lock.
        limit: the migration's lock_timeout in seconds, 0 for none; None for no migration.
    """
    tries: list[object] = []
    with TemporaryDirectory() as folder, Watcher(conninfo) as watcher:
        load = _load(conninfo, pgbench, Path(folder), 2 * _FIRST + hold + _AFTER)
        time.sleep(_FIRST)
        with psycopg.connect(conninfo) as reader:
            reader.execute("SELECT count(*) FROM app.traffic")
            ending = threading.Timer(hold, reader.rollback)
            ending.start()
            if limit is not None:
                _migrate(conninfo, Path(folder), limit, tries)
            ending.join()
        load.communicate(timeout=120)
        found = latencies(_logged(Path(folder)))
    return Measured(found, watcher.longest, watcher.gap, len(tries))


def _migrate(conninfo: str, folder: Path, limit: float, tries: list[object]) -> None:
    """Add a column to the table, and revert the migration, so that it can be measured again."""
    files = folder / "migrations"
    files.mkdir()
    name = f"c{time.time_ns()}"
    (files / "1_c.up.sql").write_text(f"ALTER TABLE app.traffic ADD COLUMN {name} int;")
    (files / "1_c.down.sql").write_text("SELECT 1;")
    time.sleep(_FIRST)
    Migrator(conninfo, files, listener=tries.append, lock_timeout=limit).up()
    tries[:] = [event for event in tries if isinstance(event, StepStarted | LockRefused)]
    Migrator(conninfo, files).down()


def _load(conninfo: str, pgbench: Path, folder: Path, seconds: float) -> subprocess.Popen[bytes]:
    script = folder / "request.sql"
    script.write_text(_REQUEST)
    command = (
        *(str(pgbench), "--no-vacuum", "--client=8", "--jobs=1", f"--rate={RATE}", "--log"),
        *(f"--time={seconds:.0f}", f"--file={script}", conninfo),
    )
    silent = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, stdout=silent, stderr=silent)


def _logged(folder: Path) -> list[float]:
    """Return the seconds of each request from its due time: the third column, in microseconds."""
    lines = [line for file in folder.glob("pgbench_log.*") for line in file.read_text().split("\n")]
    return [int(line.split()[2]) / 1e6 for line in lines if line]


def latencies(seconds: Sequence[float]) -> Latencies:
    """Return the latencies of a load."""
    ordered = sorted(seconds)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99)]
    return Latencies(len(ordered), at[0], at[1], ordered[-1])


def main(hold: float) -> None:
    """Print the three loads."""
    with start() as server:
        prepare(server.conninfo())
        pgbench = find(server.major).bin_dir / "pgbench"
        print(f"{RATE} requests/s, a reader of {hold:.0f} s; milliseconds")
        print("| migration | requests | p50 | p99 | longest | longest lock wait | tries |")
        print("|---|---|---|---|---|---|---|")
        for name, limit in (("none", None), ("lock_timeout 200 ms", 0.2), ("no lock_timeout", 0.0)):
            found = measure(server.conninfo(), pgbench, hold, limit)
            _, p50, p99, longest = found.latencies
            cells = [f"{1000 * value:.0f}" for value in (p50, p99, longest, found.waited)]
            print(f"| {name} | {found.latencies.requests} | {' | '.join(cells)} | {found.tries} |")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 16.0)
