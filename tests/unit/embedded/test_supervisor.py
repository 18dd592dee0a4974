"""The supervisor's parts that can be seen without a server."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rung.embedded import supervisor

if TYPE_CHECKING:
    from pathlib import Path


def dead_folder(parent: Path, *, age: float = 3600.0) -> Path:
    """Make what a killed supervisor leaves behind."""
    folder = parent / "rung-dead"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "file").write_text("data")
    (folder / "data" / "link").symlink_to(parent)
    for name in (supervisor.USERS, supervisor.SERVER):
        (folder / name).touch()
    os.utime(folder, (time.time() - age,) * 2)
    return folder


def test_a_dead_folder_is_swept(tmp_path: Path) -> None:
    """
    A folder that nobody holds is removed; what a link in it leads to is not.
    """
    folder = dead_folder(tmp_path)
    (tmp_path / "other").mkdir()
    supervisor.sweep(str(tmp_path / "rung-mine"))

    assert not folder.exists()
    assert (tmp_path / "other").exists()


@pytest.mark.parametrize("name", [supervisor.USERS, supervisor.SERVER])
def test_a_held_folder_is_not_swept(tmp_path: Path, name: str) -> None:
    """
    A folder with a user, or a server that still runs, stays.
    """
    folder = dead_folder(tmp_path)
    with (folder / name).open() as descriptors:
        fcntl.flock(descriptors, fcntl.LOCK_SH)
        supervisor.sweep(str(tmp_path / "rung-mine"))

    assert (folder / "data" / "file").exists()


def test_a_new_folder_is_not_swept(tmp_path: Path) -> None:
    """
    A folder that is being made has no locks yet, so a young one stays.
    """
    folder = dead_folder(tmp_path, age=0.0)
    supervisor.sweep(str(tmp_path / "rung-mine"))

    assert folder.exists()


def test_a_folder_that_goes_meanwhile_is_no_fault(tmp_path: Path) -> None:
    """
    A name without locks in it, and one that leads nowhere, are passed over.
    """
    (tmp_path / "rung-empty").mkdir()
    os.utime(tmp_path / "rung-empty", (0, 0))
    (tmp_path / "rung-link").symlink_to(tmp_path / "nowhere")
    supervisor.sweep(str(tmp_path / "rung-mine"))

    assert (tmp_path / "rung-empty").exists()


def test_only_the_pid_file_of_this_server_counts() -> None:
    """
    Ready is line 8 of a file whose line 1 is the server that we started.
    """
    lines = ["12", "/data", "0", "5432", "/s", "", "1 2", "ready   "]

    assert supervisor.is_ready(lines, 12)
    assert not supervisor.is_ready(lines, 13)
    assert not supervisor.is_ready([*lines[:7], "starting"], 12)
    assert not supervisor.is_ready(lines[:5], 12)


def test_a_lock_that_stays_held_is_an_error(tmp_path: Path) -> None:
    """
    An older server that does not go is reported, not waited for without end.
    """
    first = supervisor.open_lock(str(tmp_path), supervisor.SERVER)
    second = supervisor.open_lock(str(tmp_path), supervisor.SERVER)
    supervisor.lock_exclusively(first, 0.0)
    with pytest.raises(supervisor.SupervisorError, match="older server is still running"):
        supervisor.lock_exclusively(second, 0.02)

    os.close(first)
    supervisor.lock_exclusively(second, 0.0)
    os.close(second)


def test_a_server_that_ends_early_is_noticed(tmp_path: Path) -> None:
    """
    A program that ends before it is ready is reported with its exit code.
    """
    process = subprocess.Popen(["/bin/sh", "-c", "exit 3"])
    with pytest.raises(supervisor.SupervisorError, match="ended with code 3"):
        supervisor.wait_until_ready(process.pid, str(tmp_path / "postmaster.pid"))

    process.returncode = 3


def test_a_server_that_never_gets_ready_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    Waiting for readiness has an end, and the server is stopped then.
    """
    monkeypatch.setattr(supervisor, "READY_SECONDS", 0.02)
    process = subprocess.Popen(["/bin/sleep", "60"])
    with pytest.raises(supervisor.SupervisorError, match="was not ready after"):
        supervisor.wait_until_ready(process.pid, str(tmp_path / "postmaster.pid"))
    supervisor.stop(process.pid, signal.SIGQUIT)
    supervisor.stop(process.pid, signal.SIGQUIT)

    assert supervisor.read_lines(f"/proc/{process.pid}/stat") == []
    process.returncode = 0


def test_the_state_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """
    The state is read back as written, and forgotten twice without a fault.
    """
    supervisor.write_state(str(tmp_path), "1\n2")
    assert supervisor.read_lines(str(tmp_path / supervisor.STATE)) == ["1", "2"]

    supervisor.forget_state(str(tmp_path))
    supervisor.forget_state(str(tmp_path))
    assert supervisor.read_lines(str(tmp_path / supervisor.STATE)) == []


def test_the_servers_programs_see_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Passwords in our environment do not reach a server that runs other people's SQL.
    """
    monkeypatch.setenv("PGPASSWORD", "s3cret")

    assert {"PATH", "LC_ALL", "TZ", "LD_LIBRARY_PATH"} == set(
        supervisor.environment({"library": "/x"})
    )
    assert "LD_LIBRARY_PATH" not in supervisor.environment({"library": ""})


def test_a_command_can_be_run_as_ourselves() -> None:
    """
    `run` with the identity `self` runs the command with its arguments.
    """
    program = "import sys; from rung.embedded import supervisor; supervisor.main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", program, "run", "identity=self", "--", "/bin/echo", "here"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "here\n"
