"""The lock's file: taken by one, told of, gone with who held it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from rung.drivers.inspection import LockHolder
from rung.drivers.sqlite.lock import RunLock, user_name
from rung.errors import RightsMissing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOLD = """
import sys, pathlib
from rung.drivers.sqlite.lock import RunLock
lock = RunLock(pathlib.Path(sys.argv[1]))
print(lock.take(), flush=True)
sys.stdin.read()
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    """A second lock fails at once, and the first may be asked for again."""
    first, second = RunLock(tmp_path / "a.db"), RunLock(tmp_path / "a.db")

    assert (first.take(), second.take(), first.take()) == (True, False, True)
    first.release()
    assert second.take()


def test_who_holds_it(tmp_path: Path) -> None:
    """Others are told of the process and its user; the holder itself of nobody."""
    first, second = RunLock(tmp_path / "a.db"), RunLock(tmp_path / "a.db")
    first.take()
    holder = second.holder()

    assert isinstance(holder, LockHolder)
    assert (holder.pid, holder.user) == (os.getpid(), user_name())
    assert holder.since.endswith("UTC")
    assert first.holder() is None


def test_nothing_is_left(tmp_path: Path) -> None:
    """The file is gone when the lock is; giving back twice is quiet."""
    lock = RunLock(tmp_path / "a.db")
    lock.take()
    assert [file.name for file in tmp_path.iterdir()] == ["a.db-rung-lock"]
    lock.release()
    lock.release()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "fifo", "folder", "file"])
def test_what_is_not_our_file_is_left_alone(tmp_path: Path, kind: str) -> None:
    """No link is followed, nothing is waited for, and no content but ours is written over."""
    victim, path = tmp_path / "victim", tmp_path / "a.db-rung-lock"
    victim.write_text("precious")
    make: dict[str, Callable[[], object]] = {
        "link": lambda: path.symlink_to(victim),
        "dangling link": lambda: path.symlink_to(tmp_path / "nowhere"),
        "hard link": lambda: path.hardlink_to(victim),
        "fifo": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "file": lambda: path.write_text("precious"),
    }
    make[kind]()
    lock = RunLock(tmp_path / "a.db")
    with pytest.raises(RightsMissing, match="lock"):
        lock.take()

    assert (victim.read_text(), lock.holder()) == ("precious", None)
    assert kind != "file" or path.read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_took_the_place_of_ours(tmp_path: Path) -> None:
    """Giving back removes our file and no other."""
    lock, path = RunLock(tmp_path / "a.db"), tmp_path / "a.db-rung-lock"
    lock.take()
    path.unlink()
    path.write_text("precious")
    lock.release()

    assert path.read_text() == "precious"


def test_a_file_that_a_dead_process_left(tmp_path: Path) -> None:
    """What a killed run leaves is no lock: the kernel has given it back."""
    path = str(tmp_path / "a.db")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as held:
        assert held.stdout
        assert held.stdout.readline() == b"True\n"
        lock = RunLock(tmp_path / "a.db")
        assert not lock.take()
        held.kill()

    assert (tmp_path / "a.db-rung-lock").exists()
    assert lock.holder() is None
    assert lock.take()


def test_a_file_removed_under_us(tmp_path: Path) -> None:
    """Who opened the file that the holder then removed takes a new one, and no second holds it."""
    first, second, third = (RunLock(tmp_path / "a.db") for _ in range(3))
    first.take()
    stale = os.open(tmp_path / "a.db-rung-lock", os.O_RDONLY)
    first.release()
    second._open = lambda path: _in_turn(second, path, stale)  # type: ignore[method-assign]

    assert second.take()
    assert not third.take()


def test_no_folder(tmp_path: Path) -> None:
    """A lock that cannot be made is told with its path."""
    with pytest.raises(RightsMissing, match="nowhere"):
        RunLock(tmp_path / "nowhere" / "a.db").take()


def test_in_memory() -> None:
    """A database that nobody else sees needs no lock."""
    lock = RunLock(None)

    assert lock.take()
    assert lock.holder() is None


def _in_turn(lock: RunLock, path: Path, stale: int) -> int:
    """First the file that was removed, from then on the one that is there."""
    del lock._open
    return stale
