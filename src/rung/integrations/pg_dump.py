"""
Read a schema with pg_dump, to compare it in addition to Rung's snapshot.

pg_dump shows what the snapshot leaves out, mainly the order of columns. This module owns where the
program is, and which of its lines are significant. It returns nothing where no installed pg_dump
can read the server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rung import embedded
from rung.errors import BinariesNotFound, DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOO_OLD = "server version mismatch"
_OWN_TABLES = "*.schema_migrations*"
# Comments, and the random key with which newer versions restrict a dump.
_MEANINGLESS = ("--", "\\restrict", "\\unrestrict")
_VERSIONS_IN_A_MAJOR = 10_000


def dump_of(conninfo: str) -> tuple[str, ...] | None:
    """
    Return the lines of a schema without ledger and history; None without a usable pg_dump.

    Args:
        conninfo: the database, as libpq's keywords or URL.

    Raises:
        DatabaseError: pg_dump failed.
    """
    with psycopg.connect(conninfo, autocommit=True) as connection:
        major = connection.info.server_version // _VERSIONS_IN_A_MAJOR
    for program in _programs(major):
        result = _run(program, conninfo)
        if result.returncode == 0:
            lines = (line.rstrip() for line in result.stdout.splitlines())
            return tuple(one for one in lines if one and not one.startswith(_MEANINGLESS))
        if _TOO_OLD not in result.stderr:
            raise DatabaseError(f"pg_dump failed: {result.stderr.strip()}", "follow its message")
    return None


def _programs(major: int) -> Iterator[Path]:
    """Yield the pg_dump of the server's version if installed, then the one on PATH."""
    try:
        own_program = embedded.find(major).bin_dir / "pg_dump"
    except BinariesNotFound:
        own_program = None
    on_path = shutil.which("pg_dump")
    if own_program is not None and own_program.is_file():
        yield own_program
    if on_path is not None:
        yield Path(on_path)


def _run(program: Path, conninfo: str) -> subprocess.CompletedProcess[str]:
    command, environment = command_of(program, conninfo)
    return subprocess.run(  # noqa: S603 - PostgreSQL's program, found by us
        command, check=False, capture_output=True, text=True, env=environment
    )


def command_of(program: Path, conninfo: str) -> tuple[list[str], dict[str, str]]:
    """Return the command line and environment; the password is in the environment only."""
    facts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    secret = {"PGPASSWORD": facts.pop("password")} if "password" in facts else {}
    command = [str(program), "--schema-only", f"--exclude-table={_OWN_TABLES}"]
    return [*command, f"--dbname={make_conninfo('', **facts)}"], os.environ | secret
