"""
The programs that are compared: Rung, psql, golang-migrate; each as a command.

A contender is a value. A program that is not installed is left out, never replaced.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.oracle import golang_migrate

from bench.folders import ups

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.servers import Address

RUNG, PSQL, GOLANG_MIGRATE = "rung", "psql", "golang-migrate"
PSQL_VARIABLE = "RUNG_BENCH_PSQL"
"""Names the psql to take, where the newest of the system's is not meant."""

_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Contender:
    """
    One program.

    Args:
        name: for the report.
        detail: the binary and its version.
        remembers: whether it keeps a ledger, so that a second run has nothing to do.
        command: the command that applies a folder to a database.
    """

    name: str
    detail: str
    remembers: bool
    command: Callable[[Address, Path], list[str]]


def contenders(workplace: Path) -> tuple[Contender, ...]:
    """
    Return the installed contenders, in the order of their turns.

    Args:
        workplace: a folder for the scripts of psql.
    """
    return tuple(c for c in (_rung(), _psql(workplace), _golang_migrate()) if c is not None)


def rung_command() -> list[str] | None:
    """Return Rung's command: the console script of this Python, else `-m rung`; or None."""
    probe = [sys.executable, "-c", "import rung.cli.main"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        return None
    script = Path(sys.executable).parent / "rung"
    return [str(script)] if script.is_file() else [sys.executable, "-m", "rung"]


def _rung() -> Contender | None:
    start = rung_command()
    if start is None:
        return None

    def command(address: Address, folder: Path) -> list[str]:
        return [*start, "up", "--source", str(folder), "--database", address.url]

    return Contender(RUNG, " ".join(start), remembers=True, command=command)


def _psql(workplace: Path) -> Contender | None:
    binary = _psql_binary()
    if binary is None:
        return None

    def command(address: Address, folder: Path) -> list[str]:
        script = workplace / f"{folder.name}.psql"
        script.write_text("".join(f"BEGIN;\n\\i '{up}'\nCOMMIT;\n" for up in ups(folder)), "utf-8")
        options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script)]
        return [str(binary), *options, address.url]

    return Contender(PSQL, _said(binary, "--version"), remembers=False, command=command)


def _psql_binary() -> Path | None:
    """Return the binary: Debian's /usr/bin/psql is a script that takes 20 to 30 ms a start."""
    if named := os.environ.get(PSQL_VARIABLE):
        return Path(named)
    versioned = sorted(_DEBIAN.glob("*/bin/psql"), key=lambda path: int(path.parts[-3]))
    if versioned:
        return versioned[-1]
    found = shutil.which("psql")
    return None if found is None else Path(found)


def _golang_migrate() -> Contender | None:
    binary = golang_migrate()
    if binary is None:
        return None

    def command(address: Address, folder: Path) -> list[str]:
        return [str(binary), "-path", str(folder), "-database", address.url, "up"]

    return Contender(GOLANG_MIGRATE, _go_version(binary), remembers=True, command=command)


def _said(binary: Path, option: str) -> str:
    answer = subprocess.run([binary, option], capture_output=True, text=True, check=False)
    return f"{binary}: {(answer.stdout or answer.stderr).strip()}"


def _go_version(binary: Path) -> str:
    """Return the version that Go recorded in the binary; `-version` may print only "dev"."""
    found = re.search(rb"golang-migrate/migrate/v4\s+(v[0-9.]+)", binary.read_bytes())
    return f"{binary}: {found[1].decode()}" if found else _said(binary, "-version")
