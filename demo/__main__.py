"""
Take the chat service's database up, down and up again, as its team would by hand.

Each line that begins with `$` is a command, run as it is printed, on an embedded PostgreSQL that is
removed at the end. A proxy between the two counts round trips, to show "nothing to do in one round
trip". Exits with 1 where a command fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.oracle import golang_migrate

from rung import embedded
from rung.certify.proxy import CountingProxy

if TYPE_CHECKING:
    from pathlib import Path

_MIGRATIONS = "backend/migrations"


def main() -> int:
    """Run every act of the demo."""
    with embedded.start(say=_say) as server:
        _say(f"PostgreSQL {server.major} runs on {server.socket_dir}, for as long as this takes.")
        database = server.conninfo("postgres")
        rung = {"RUNG_DATABASE": database, "RUNG_SOURCE": _MIGRATIONS}
        _title("All migrations go up")
        _rung("up", rung)
        _rung("status", rung)
        _title("Again: nothing to do")
        _count_idle(server.socket_dir, server.port, rung)
        _title("Two go down, and up again")
        _rung("down 2 --yes", rung)
        _rung("up", rung)
        _continue_with_golang_migrate(server.url("postgres"), rung)
        _title("Every attempt is in the history")
        _rung("history", rung)
    return 0


def _count_idle(socket_dir: Path, port: int, rung: dict[str, str]) -> None:
    with CountingProxy(socket_dir, port) as proxy:
        through = f"host={proxy.socket_dir} port={proxy.port} user=postgres dbname=postgres"
        _rung("up", rung | {"RUNG_DATABASE": through})
        counts = proxy.counts
    _say(f"Counted between the two: {counts.round_trips} round trip, {counts.commits} commits.")
    if counts.round_trips != 1:
        sys.exit("demo: more than one round trip was needed to find that nothing is to do")


def _continue_with_golang_migrate(url: str, rung: dict[str, str]) -> None:
    _title("The same database, continued by golang-migrate, and by Rung after it")
    binary = golang_migrate()
    if binary is None:
        _say("golang-migrate is not on this machine, nor Go to build it: this act is left out.")
        return
    for command in ("version", "down 1", "version"):
        _show(f"migrate -path {_MIGRATIONS} -database $URL {command}")
        words = [str(binary), "-path", _MIGRATIONS, "-database", url, *command.split()]
        subprocess.run(words, check=True)
    _rung("up", rung)
    _rung("version", rung)


def _rung(command: str, environment: dict[str, str]) -> None:
    _show(f"rung {command}")
    words = [sys.executable, "-m", "rung", *command.split()]
    ended = subprocess.run(words, env=os.environ | environment, check=False)
    if ended.returncode:
        sys.exit(f"demo: rung {command} ended with {ended.returncode}")


def _title(text: str) -> None:
    sys.stdout.write(f"\n--- {text}\n")
    sys.stdout.flush()


def _show(command: str) -> None:
    sys.stdout.write(f"\n$ {command}\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stdout.write(f"demo: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
