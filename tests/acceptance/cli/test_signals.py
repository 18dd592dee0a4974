"""SIGINT and SIGTERM in the middle of a run, from outside."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.cli.conftest import Ended
    from tests.servers import Database

    Begin = Callable[..., subprocess.Popen[str]]

_SLEEPS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE query LIKE '%pg_sleep(%' AND pid <> pg_backend_pid()
"""


def _until_sleeping(database: Database) -> None:
    while database.psql(_SLEEPS) == [(0,)]:
        pass


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_lets_the_migration_finish(
    begin: Begin, folder: Path, named: Database, rung: Callable[..., Ended], number: int, code: int
) -> None:
    """The rest stays pending, and the code says that work remains."""
    (folder / "1_users.up.sql").write_text("CREATE TABLE users ();SELECT pg_sleep(1);\n")
    process = begin("up")
    _until_sleeping(named)
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]

    assert (process.returncode, rung("version").out) == (code, "1\n")
    assert said.startswith("Stopping after this migration; again to cancel it.\n  up      1 users")
    assert "error: Stopped as asked; not run: 2, 3.\n" in said


def test_the_second_signal_cancels(
    begin: Begin, folder: Path, named: Database, rung: Callable[..., Ended]
) -> None:
    """What ran is rolled back, and the database is clean where it was."""
    (folder / "1_users.up.sql").write_text("CREATE TABLE users ();SELECT pg_sleep(60);\n")
    process = begin("up")
    _until_sleeping(named)
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Stopping")
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=30)[1]

    assert (process.returncode, rung("version").out) == (143, "none\n")
    assert "error: Stopped as asked; not run: 1" in said
    assert "\nThe database is clean at no version." in said
    assert named.psql("SELECT to_regclass('users')") == [(None,)]


def test_a_signal_in_the_last_migration_changes_nothing(
    begin: Begin, folder: Path, named: Database
) -> None:
    """No work remains, so the run is done."""
    (folder / "3_empty.up.sql").write_text("SELECT pg_sleep(1);\n")
    process = begin("up")
    _until_sleeping(named)
    process.send_signal(signal.SIGTERM)

    assert process.communicate(timeout=30)[1].endswith("the database is at version 3.\n")
    assert process.returncode == 0


def test_a_closed_stderr_does_not_end_a_run(
    begin: Begin, named: Database, rung: Callable[..., Ended]
) -> None:
    """As when the talk goes to a pager that was quit."""
    process = begin("up")
    assert process.stderr is not None
    process.stderr.close()
    process.stderr = None

    assert process.communicate(timeout=30)[0] == ""
    assert (process.returncode, rung("version").out) == (0, "3\n")
