"""
A schema as pg_dump writes it: a second opinion beside Rung's own snapshot.

Sees what that leaves out, the order of columns above all. Owns where the program is, and which
of its lines mean something. Where none is at hand that reads the server, it has no opinion.
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
_OURS = "*.schema_migrations*"
# A comment, or the key that a dump of late is locked with, which is another each time.
_MEANINGLESS = ("--", "\\restrict", "\\unrestrict")
_VERSIONS_IN_A_MAJOR = 10_000


def dump_of(conninfo: str) -> tuple[str, ...] | None:
    """
    The lines of a schema, without the ledger's and the history's; None without a pg_dump.

    Args:
        conninfo: the database, in a form of libpq's.

    Raises:
        DatabaseError: pg_dump was refused something.
    """
    for program in _programs(_major(conninfo)):
        ran = _run(program, conninfo)
        if ran.returncode == 0:
            lines = (line.rstrip() for line in ran.stdout.splitlines())
            return tuple(one for one in lines if one and not one.startswith(_MEANINGLESS))
        if _TOO_OLD not in ran.stderr:
            raise DatabaseError(f"pg_dump failed: {ran.stderr.strip()}", "follow its message")
    return None


def _major(conninfo: str) -> int:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return connection.info.server_version // _VERSIONS_IN_A_MAJOR


def _programs(major: int) -> Iterator[Path]:
    """The server's own where it is here, then the one on the path."""
    try:
        beside = embedded.find(major).bin_dir / "pg_dump"
    except BinariesNotFound:
        beside = None
    on_path = shutil.which("pg_dump")
    if beside is not None and beside.is_file():
        yield beside
    if on_path is not None:
        yield Path(on_path)


def _run(program: Path, conninfo: str) -> subprocess.CompletedProcess[str]:
    command, environment = command_of(program, conninfo)
    return subprocess.run(  # noqa: S603 - PostgreSQL's program, found by us
        command, check=False, capture_output=True, text=True, env=environment
    )


def command_of(program: Path, conninfo: str) -> tuple[list[str], dict[str, str]]:
    """The command line and its environment, which has the password: that one nobody else reads."""
    facts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    secret = {"PGPASSWORD": facts.pop("password")} if "password" in facts else {}
    command = [str(program), "--schema-only", f"--exclude-table={_OURS}"]
    return [*command, f"--dbname={make_conninfo('', **facts)}"], os.environ | secret
