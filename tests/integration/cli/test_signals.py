"""SIGINT and SIGTERM in the middle of a run, from outside."""

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

    Asleep = Callable[[str, int], Popen[str]]

_SLEEPS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'
"""


@pytest.fixture
def asleep(
    begin: Callable[..., Popen[str]],
    folder: Path,
    named: Database,
    until: Callable[[Callable[[], bool]], None],
) -> Asleep:
    """Give a run that is in the middle of a file, which sleeps for some seconds."""

    def start(file: str, seconds: int) -> Popen[str]:
        (folder / file).write_text(f"CREATE TABLE rooms ();SELECT pg_sleep({seconds});\n")
        process = begin("up")
        until(lambda: named.psql(_SLEEPS) == [(1,)] or process.poll() is not None)
        return process

    return start


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_lets_the_migration_finish(
    asleep: Asleep, rung: Callable[..., Ended], number: int, code: int
) -> None:
    """The rest stays pending, and the code says that work remains."""
    process = asleep("1_users.up.sql", 1)
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]

    assert (process.returncode, rung("version").out) == (code, "1\n")
    assert said.startswith("warning: stopping after this migration")
    assert said.splitlines()[1].startswith("  up      1 users")
    assert "error: stopped on request; not run: 2 and 3\n" in said


def test_the_second_signal_cancels(
    asleep: Asleep, named: Database, rung: Callable[..., Ended]
) -> None:
    """What ran is rolled back, and the database is clean where it was."""
    process = asleep("1_users.up.sql", 60)
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("warning: stopping")
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=30)[1]

    assert (process.returncode, rung("version").out) == (143, "none\n")
    assert "error: stopped on request; not run: 1" in said
    assert "\ndatabase: clean at no version" in said
    assert named.psql("SELECT to_regclass('rooms')") == [(None,)]


def test_a_signal_in_the_last_migration_changes_nothing(asleep: Asleep) -> None:
    """No work remains, so the run is done."""
    process = asleep("3_empty.up.sql", 1)
    process.send_signal(signal.SIGTERM)

    assert process.communicate(timeout=30)[1].endswith(
        "database: at version 3; applied 3 migrations\n"
    )
    assert process.returncode == 0


def test_a_closed_stderr_does_not_end_a_run(
    begin: Callable[..., Popen[str]], rung: Callable[..., Ended]
) -> None:
    """As when the talk goes to a pager that was quit."""
    process = begin("up")
    assert process.stderr is not None
    process.stderr.close()
    process.stderr = None

    assert process.communicate(timeout=30)[0] == ""
    assert (process.returncode, rung("version").out) == (0, "3\n")
