"""
Measure starting Rung: the database drivers that it loads, and the time of one inspection.

Drivers are found in Python's import log of a real process, which includes imports inside libraries.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.measure import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.measure import Timing
    from bench.servers import Address

DRIVERS = frozenset(
    {"psycopg", "psycopg_binary", "psycopg_c", "psycopg2", "asyncpg", "pg8000"}
    | {"pymysql", "MySQLdb", "aiomysql", "sqlite3", "aiosqlite", "apsw"}
)

_SAME_LOOK = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as connection:
    print(connection.execute("SELECT version, dirty FROM schema_migrations").fetchone())
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """The modules that one command loads, and the drivers among them."""

    what: str
    modules: int
    drivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """The times of `rung version` and of the minimal Python and psycopg code for the same row."""

    rung: tuple[Timing, ...]
    least: tuple[Timing, ...]


def imports(folder: Path) -> list[Imported]:
    """
    Start the three commands of Rung that need no database.

    Args:
        folder: an empty folder, in which `create` creates a migration.
    """
    command = ["-m", "rung"]
    return [
        _imported("import rung", ["-c", "import rung"]),
        _imported("rung --help", [*command, "--help"]),
        _imported("rung create", [*command, "create", "add_roles", "--source", str(folder)]),
    ]


def _imported(what: str, arguments: Sequence[str]) -> Imported:
    command = [sys.executable, "-X", "importtime", *arguments]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    modules = set(re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", log, re.MULTILINE))
    tops = {module.split(".", 1)[0] for module in modules}
    return Imported(what, len(modules), tuple(sorted(tops & DRIVERS)))


def looks(rung: Sequence[str], address: Address, rounds: int) -> Look:
    """Time `rung version` and the minimal process for it, alternating."""
    ours = [*rung, "version", "--database", address.url]
    least = [sys.executable, "-c", _SAME_LOOK, address.url]
    pairs = [(run(ours), run(least)) for _ in range(rounds)]
    return Look(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))
