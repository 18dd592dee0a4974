"""Each exit code, as a shell sees it: docs/reference/exit-codes.md."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import Popen

    from tests.integration.cli.conftest import Ended
    from tests.servers import Database

    Rung = Callable[..., Ended]
    Begin = Callable[..., Popen[str]]
    Until = Callable[[Callable[[], bool]], None]

_SLEEPS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'
"""


def _code(begin: Begin, line: str) -> int:
    process = begin(*line.split())
    process.communicate(timeout=60)
    return process.returncode


def test_0_is_done(begin: Begin) -> None:
    """Or nothing to do, or all as it should be."""
    lines = ("status", "up", "up", "check", "wait 3 --timeout 0", "version", "history")

    assert [_code(begin, line) for line in lines] == [0] * len(lines)


def test_1_is_failed(begin: Begin, folder: Path) -> None:
    """And clean: a failed migration, a version that is not there."""
    (folder / "2_roles.up.sql").write_text("SELECT 1/0;\n")

    assert [_code(begin, line) for line in ("up", "goto 9", "force 9")] == [1, 1, 1]


def test_1_is_tables_without_a_ledger(begin: Begin, named: Database) -> None:
    """A run is refused; a check calls its migrations pending."""
    named.psql("CREATE TABLE users (id int)")

    assert [_code(begin, line) for line in ("up", "plan", "check")] == [1, 1, 3]


@pytest.mark.parametrize(
    "line",
    [
        "upp",
        "up x",
        "goto 9223372036854775808",
        "up --source nowhere",
        "accept-edit 1",
        "down",
        "drop",
    ],
)
def test_2_is_not_understood_or_not_confirmed(begin: Begin, rung: Rung, line: str) -> None:
    """Nothing was run."""
    rung("up")

    assert (_code(begin, line), rung("version").out) == (2, "3\n")


def test_3_is_pending(begin: Begin) -> None:
    """Of a check, and of a wait that times out."""
    assert [_code(begin, line) for line in ("check", "wait 3 --timeout 0")] == [3, 3]


@pytest.mark.parametrize("file", ["0_late.up.sql", "2_roles.up.sql"])
def test_3_is_late_or_edited(begin: Begin, rung: Rung, folder: Path, file: str) -> None:
    """Whichever command meets it."""
    rung("up")
    (folder / file).write_text("SELECT 1;\n")

    assert [_code(begin, line) for line in ("check", "up", "plan", "goto 3")] == [3, 3, 3, 3]


def test_3_is_missing(begin: Begin, rung: Rung, folder: Path) -> None:
    """The database's version has no file, and a higher one has."""
    rung("goto", "2")
    (folder / "2_roles.up.sql").unlink()
    (folder / "2_roles.down.sql").unlink()

    assert [_code(begin, line) for line in ("check", "up", "plan", "goto 3")] == [3, 3, 3, 3]


def test_4_is_dirty(begin: Begin, folder: Path) -> None:
    """Left so by the run, and found so by all others."""
    (folder / "3_empty.up.sql").write_text("VACUUM users;\nSELECT 1/0;\n")

    assert [_code(begin, line) for line in ("up", "up", "plan", "check", "down -y")] == [4] * 5


def test_5_is_ahead(begin: Begin, rung: Rung, folder: Path) -> None:
    """Unless it is allowed."""
    rung("up")
    (folder / "3_empty.up.sql").unlink()
    (folder / "3_empty.down.sql").unlink()
    lines = ("check", "up", "plan", "goto 3", "up --if-ahead ok")

    assert [_code(begin, line) for line in lines] == [5, 5, 5, 5, 0]


def test_6_is_locked(begin: Begin, folder: Path, rung: Rung, until: Until) -> None:
    """For longer than was allowed."""
    (folder / "3_empty.up.sql").write_text("SELECT pg_sleep(60);\n")
    begin("up")
    until(lambda: rung("version").out == "2\n")

    assert _code(begin, "up --wait-for-lock 0") == 6


@pytest.mark.parametrize("command", ["up", "check", "version", "wait --timeout 0"])
def test_7_is_no_connection(begin: Begin, command: str) -> None:
    """To a port where nobody listens."""
    assert _code(begin, f"{command} -d postgresql://127.0.0.1:1/chat") == 7


def test_7_is_a_connection_lost(begin: Begin, folder: Path) -> None:
    """In the middle of a run."""
    (folder / "3_empty.up.sql").write_text("SELECT pg_terminate_backend(pg_backend_pid());\n")

    assert _code(begin, "up") == 7


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_130_and_143_are_stopped(
    begin: Begin, folder: Path, named: Database, until: Until, number: int, code: int
) -> None:
    """While work remained."""
    (folder / "1_users.up.sql").write_text("SELECT pg_sleep(2);\n")
    process = begin("up")
    until(lambda: named.psql(_SLEEPS) == [(1,)])
    process.send_signal(number)
    process.communicate(timeout=60)

    assert process.returncode == code
