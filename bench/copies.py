"""
Measure a migrated database for a test: a copy of a template, or every migration again.

    python -m bench.copies [ROUNDS]

Both alternate on one ephemeral server, each from the creation of a database to its drop. A ratio is
computed within a round; the first round, which creates the template, is not counted. Fails where
the two leave different schemas, never because of seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.folders import CHAT, small_migrations, ups
from rung import embedded, run_migrations
from rung.database import Database
from rung.drivers import open_driver
from rung.integrations.template_databases import TemplateDatabases
from rung.snapshot import Aspect

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rung.integrations.template_databases import TestDatabase
    from rung.snapshot import Snapshot

_ROUNDS = 10


def main() -> int:
    """Measure both folders and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS
    print(f"Medians of {rounds} rounds, with the least and the greatest.\n")
    print("| migrations | copy | replay | replay / copy |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as made, embedded.start() as server:
        folders = {len(ups(CHAT)): CHAT, 100: small_migrations(Path(made) / "small", 100)}
        for count, folder in folders.items():
            with TemplateDatabases(server.conninfo(), folder) as copies:
                pairs = [_round(copies, folder) for _ in range(rounds + 1)][1:]
            copied, replayed = zip(*pairs, strict=True)
            ratios = [replay / copy for copy, replay in pairs]
            cells = [_ms(copied), _ms(replayed), _spread(ratios, "", 1)]
            print(f"| {count} | {' | '.join(cells)} |", flush=True)
    return 0


def _round(copies: TemplateDatabases, folder: Path) -> tuple[float, float]:
    copied, copy = _timed(copies.copy(), None)
    replayed, replay = _timed(copies.empty(), folder)
    if copy != replay:
        sys.exit("bench: a copy and a replay are not the same")
    return copied, replayed


def _timed(
    making: AbstractContextManager[TestDatabase], folder: Path | None
) -> tuple[float, Snapshot]:
    """Return the seconds to create, connect to and drop a database, without reading its schema."""
    began = time.perf_counter()
    with making as database:
        if folder is not None:
            run_migrations(database.conninfo, folder)
        with database.connect() as connection:
            connection.execute("SELECT 1")
        looked = time.perf_counter()
        with open_driver(Database.of(database.conninfo)).read() as reader:
            # A connection limit marks a copy; what is of the database is not of its schema.
            snapshot = reader.snapshot().without(Aspect.DATABASE)
        looked = time.perf_counter() - looked
    return time.perf_counter() - began - looked, snapshot


def _ms(seconds: tuple[float, ...]) -> str:
    return _spread([one * 1000 for one in seconds], " ms", 0)


def _spread(values: list[float], unit: str, digits: int) -> str:
    least, greatest = min(values), max(values)
    return f"{median(values):.{digits}f}{unit} ({least:.{digits}f} to {greatest:.{digits}f})"


if __name__ == "__main__":
    sys.exit(main())
