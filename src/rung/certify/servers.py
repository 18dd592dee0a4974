"""
Faults of the server itself: killed and started again, and its disk full.

Each kind has a server of its own, whose data stay and which waits for the disk (fsync), as one
in production does. To kill processes does not lose what the operating system holds in memory:
that the disk keeps what it was told to keep is not put to the test.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rung.certify.faults import Kind
from rung.certify.inject import find_out
from rung.certify.proxy import CountingProxy
from rung.certify.test_databases import Lab
from rung.embedded import EmbeddedServer, start
from rung.embedded.supervisor import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.certify.faults import InjectedFault
    from rung.certify.observations import Facts, Said
    from rung.certify.subjects import Client
    from rung.certify.test_databases import ProxyAddress

_GONE_WITHIN = 30.0
_POLL = 0.01
_TRIES = 5
_DISK = 160
"""Megabytes: PostgreSQL's own files take 40, a database 8, its log up to 64."""
_SETTINGS = {"min_wal_size": "32MB", "max_wal_size": "64MB"}


@dataclass(slots=True)
class Frail:
    """A server that is killed and started again, and its databases."""

    folder: Path
    server: EmbeddedServer
    lab: Lab

    def kill(self) -> None:
        """Kill the server and all of its processes at once, and wait until nothing is left."""
        os.kill(self.server.pid, signal.SIGSTOP)  # else it would end its children, and go on
        for pid in (*_children(self.server.pid), self.server.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._await_supervisor()

    def start_again(self) -> None:
        """Start it on the same data: it recovers from its crash."""
        before, self.server = self.server, start(self.folder / "kept", say=_nothing)
        before.close()
        self.lab.moved_to(self.server.socket_dir)

    def end(self) -> None:
        """Stop it."""
        self.lab.close()
        self.server.close()
        self._await_supervisor()

    @property
    def is_down(self) -> bool:
        """Whether it ended."""
        return not (self.server.home / STATE).exists()

    def _await_supervisor(self) -> None:
        deadline = time.monotonic() + _GONE_WITHIN
        while not self.is_down and time.monotonic() < deadline:
            time.sleep(_POLL)


@contextmanager
def frail(folder: Path, prefix: str) -> Iterator[Frail]:
    """Run a server in a folder for a block."""
    folder.chmod(0o755)  # as root the server runs under another account, which has to get in
    server = start(folder / "kept", say=_nothing, settings=_SETTINGS)
    made = Frail(folder, server, Lab.of(server, prefix))
    try:
        yield made
    finally:
        made.end()


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder on a disk."""
    with tempfile.TemporaryDirectory(prefix="rung-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def a_small_disk() -> Iterator[Path]:
    """
    A file system of its own, in memory.

    Raises:
        OSError: it cannot be mounted here.
    """
    with tempfile.TemporaryDirectory(prefix="rung-", ignore_cleanup_errors=True) as folder:
        _mount("mount", "-t", "tmpfs", "-o", f"size={_DISK}m,mode=0755", "tmpfs", folder)
        try:
            yield Path(folder)
        finally:
            _mount("umount", "-l", folder)


def no_small_disk() -> str:
    """Why the disk of a server cannot be filled here; empty where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "the disk was not filled: a small file system can be mounted by root on Linux alone"
    try:
        with a_small_disk():
            return ""
    except OSError as error:
        return f"the disk was not filled: no small file system can be mounted here ({error})"


def crash(
    fault: InjectedFault, server: Frail, address: ProxyAddress, client: Client, seconds: float
) -> Facts:
    """Kill the server in the middle of a run, start it again, and see what is left."""
    said: list[Said] = []
    server.lab.checkpoint()
    with CountingProxy(address.host, address.port) as proxy:
        there = address.by_way_of(proxy.socket_dir)
        run = threading.Thread(target=lambda: said.append(client.run(there, fault.run)))
        run.start()
        time.sleep(fault.point * seconds)
        server.kill()
        server.start_again()
        proxy.lead_to(server.lab.host)
        run.join()
    again = server.lab.at(address.dbname)
    return find_out(server.lab, again, client, fault, said[0])


def fill(
    fault: InjectedFault, server: Frail, address: ProxyAddress, client: Client, room: float
) -> Facts:
    """Leave the server a share of the room that a run takes, and see what it makes of it."""
    ballast = server.folder / "ballast"
    _leave(int(fault.point * room), ballast)
    said = client.run(address, fault.run)
    ballast.unlink()
    if server.is_down:
        server.start_again()
    return find_out(server.lab, server.lab.at(address.dbname), client, fault, said)


def measured(server: Frail, kind: Kind, run: Callable[[], object]) -> float:
    """The seconds that a run takes undisturbed; the bytes, where the disk is to be filled."""
    began, free = time.perf_counter(), _free(server.folder)
    run()
    seconds, taken = time.perf_counter() - began, free - _free(server.folder)
    return taken if kind is Kind.DISK else seconds


def _leave(room: int, ballast: Path) -> None:
    """Write a file so large that so many bytes are left; the server may take some meanwhile."""
    for _ in range(_TRIES):
        size = max(_free(ballast.parent) - room, 1)
        with suppress(OSError), ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
            return


def _free(folder: Path) -> int:
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


def _children(parent: int) -> list[int]:
    asked = ["ps", "-A", "-o", "pid=,ppid="]
    found = subprocess.run(asked, capture_output=True, text=True, check=True)  # noqa: S603
    pairs = (line.split() for line in found.stdout.splitlines())
    return [int(pid) for pid, above in pairs if int(above) == parent]


def _mount(program: str, *words: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise OSError(f"there is no {program}")
    done = subprocess.run([found, *words], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise OSError(done.stderr.strip())


def _nothing(_: str) -> None:
    """Say nothing: the certification has said already that its servers are thrown away."""
