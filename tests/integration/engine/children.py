"""Runs in processes of their own, to be killed; and what becomes of them on the server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import rung

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_UP = """
import sys
from rung import run_migrations
report = run_migrations(sys.argv[1], sys.argv[2])
print(*(step.version for step in report.steps))
"""


def begin_up(site: Site) -> subprocess.Popen[str]:
    """Start `run_migrations` in a process of its own; it prints the versions it applied."""
    command = [sys.executable, "-c", _UP, site.database.conninfo, str(site.folder)]
    # The same code as in this process, wherever it was found.
    environment = {**os.environ, "PYTHONPATH": str(Path(rung.__file__).parents[1])}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def begin_command(site: Site, *words: str) -> subprocess.Popen[str]:
    """Start the command `rung` in a process of its own; what it says is all on its stdout."""
    ends = ("--database", site.database.conninfo, "--source", str(site.folder))
    return subprocess.Popen(
        [sys.executable, "-m", "rung", *words, *ends],
        env={**os.environ, "PYTHONPATH": str(Path(rung.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill_up(site: Site, seconds: float) -> None:
    """Run up in a process and kill it -9 after a time."""
    run = begin_up(site)
    time.sleep(seconds)
    run.kill()
    run.communicate()


def sessions(site: Site, doing: str = "%") -> int:
    """How many server processes of Rung serve this database with such a last query."""
    rows = site.ask(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        f"AND application_name LIKE 'rung%' AND query LIKE '{doing}'"
    )
    return int(rows[0][0])
