"""
Measure what a snapshot and a stamp of a schema cost, beside `pg_dump --schema-only`.

    python -m bench.snapshots [ROUNDS]

All run on one ephemeral server, in turns; a ratio is computed from the least of each. A first
snapshot is on a new connection, whose server process has read no catalog yet. Needs a pg_dump
beside the server's programs; without one there are no ratios.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from rung import embedded
from rung.database import Database
from rung.drivers import open_driver

if TYPE_CHECKING:
    from rung.embedded import EmbeddedServer

_ROUNDS = 5
_TABLES = (0, 500, 5000)
_AT_ONCE = 250
_READS = 100
_TABLE = """
CREATE TABLE t{0} (id int PRIMARY KEY, a text NOT NULL DEFAULT 'x', b numeric(10, 2),
    c timestamptz, d int REFERENCES t0 (id));
CREATE INDEX ON t{0} (a);
"""
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure each size, and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS
    print("| tables | pg_dump -s | first snapshot | ratio | next snapshot | stamp | server CPU |")
    print("|---|---|---|---|---|---|---|")
    with embedded.start() as server:
        for tables in _TABLES:
            _make(server, tables)
            print(_row(server, tables, rounds), flush=True)
    return 0


def _make(server: EmbeddedServer, tables: int) -> None:
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE bench_{tables}")
    with psycopg.connect(server.conninfo(f"bench_{tables}"), autocommit=True) as connection:
        for first in range(0, tables, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, tables))
            connection.execute("".join(map(_TABLE.format, numbers)))
        connection.execute("ANALYZE")


def _row(server: EmbeddedServer, tables: int, rounds: int) -> str:
    driver = open_driver(Database.of(server.url(f"bench_{tables}")))
    dump: list[float] = []
    first: list[float] = []
    following: list[float] = []
    stamp: list[float] = []
    for _ in range(rounds):
        dump.append(_seconds_of_pg_dump(server, tables))
        with driver.read() as reader:
            for seconds, read in (
                (first, reader.snapshot),
                (following, reader.snapshot),
                (stamp, reader.stamp),
            ):
                began = time.perf_counter()
                read()
                seconds.append(time.perf_counter() - began)
    ratio = f"{min(first) / min(dump):.2f}" if min(dump) else "no pg_dump"
    times = [f"{min(one) * 1000:.0f} ms" for one in (dump, first, following, stamp)]
    times.insert(2, ratio)
    return f"| {tables} | {' | '.join(times)} | {_server_milliseconds(server, tables):.1f} ms |"


def _seconds_of_pg_dump(server: EmbeddedServer, tables: int) -> float:
    """Return the seconds of one pg_dump; 0 where there is none."""
    program = embedded.find(server.major).bin_dir / "pg_dump"
    if not program.exists():
        return 0.0
    began = time.perf_counter()
    command = [str(program), "--schema-only", server.conninfo(f"bench_{tables}")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _server_milliseconds(server: EmbeddedServer, tables: int) -> float:
    """Return the CPU time of the server process for one of many snapshots."""
    reads = max(_READS // max(tables, 1), 3)
    with open_driver(Database.of(server.url(f"bench_{tables}"))).read() as reader:
        process = reader.locate().process
        began = _cpu(process)
        for _ in range(reads):
            reader.snapshot()
        return (_cpu(process) - began) / reads * 1000


def _cpu(process: int | None) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


if __name__ == "__main__":
    sys.exit(main())
