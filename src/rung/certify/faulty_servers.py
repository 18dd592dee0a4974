"""
Inject faults of the server itself: kill and restart it, and fill_disk its disk.

Each kind has a server of its own, with persistent data and fsync, like one in production. Killing
processes does not lose what the operating system holds in memory, so this does not test that a
disk keeps what was flushed to it.
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

from rung.certify.faults import FaultKind
from rung.certify.inject import collect_facts
from rung.certify.proxy import CountingProxy
from rung.certify.test_databases import FaultDatabases
from rung.embedded import EmbeddedServer, start
from rung.embedded.supervisor import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.certify.faults import InjectedFault
    from rung.certify.observations import FaultFacts, RunClaim
    from rung.certify.subjects import Client
    from rung.certify.test_databases import ProxyAddress

_DOWN_WITHIN = 30.0
_POLL = 0.01
_TRIES = 5
_DISK = 160
"""Megabytes: PostgreSQL's own files take 40, a database 8, its log up to 64."""
_SETTINGS = {"min_wal_size": "32MB", "max_wal_size": "64MB"}


@dataclass(slots=True)
class CrashableServer:
    """A server that can be killed and started again, and its databases."""

    folder: Path
    server: EmbeddedServer
    lab: FaultDatabases

    def kill(self) -> None:
        """Kill the server and all of its processes at once, and wait for their end."""
        os.kill(self.server.pid, signal.SIGSTOP)  # else it would end its children and restart
        for pid in (*_children(self.server.pid), self.server.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._await_supervisor()

    def start_again(self) -> None:
        """Start the server on the same data; it recovers from its crash."""
        before, self.server = self.server, start(self.folder / "kept", say=_nothing)
        before.close()
        self.lab.move_to(self.server.socket_dir)

    def end(self) -> None:
        """Stop the server."""
        self.lab.close()
        self.server.close()
        self._await_supervisor()

    @property
    def is_down(self) -> bool:
        """Report whether the server has ended."""
        return not (self.server.home / STATE).exists()

    def _await_supervisor(self) -> None:
        deadline = time.monotonic() + _DOWN_WITHIN
        while not self.is_down and time.monotonic() < deadline:
            time.sleep(_POLL)


@contextmanager
def crashable_server(folder: Path, prefix: str) -> Iterator[CrashableServer]:
    """Run a server in a folder for a `with` block."""
    folder.chmod(0o755)  # started by root, the server runs under another account
    server = start(folder / "kept", say=_nothing, settings=_SETTINGS)
    made = CrashableServer(folder, server, FaultDatabases.of(server, prefix))
    try:
        yield made
    finally:
        made.end()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a temporary folder for a `with` block."""
    with tempfile.TemporaryDirectory(prefix="rung-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def small_disk() -> Iterator[Path]:
    """
    Mount a small file system in memory for a `with` block.

    Raises:
        OSError: it cannot be mounted on this machine.
    """
    with tempfile.TemporaryDirectory(prefix="rung-", ignore_cleanup_errors=True) as folder:
        _mount("mount", "-t", "tmpfs", "-o", f"size={_DISK}m,mode=0755", "tmpfs", folder)
        try:
            yield Path(folder)
        finally:
            _mount("umount", "-l", folder)


def why_no_small_disk() -> str:
    """Return why a server's disk cannot be filled on this machine; empty where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "the disk was not filled: a small file system can be mounted by root on Linux alone"
    try:
        with small_disk():
            return ""
    except OSError as error:
        return f"the disk was not filled: no small file system can be mounted here ({error})"


def crash(
    fault: InjectedFault,
    server: CrashableServer,
    address: ProxyAddress,
    client: Client,
    seconds: float,
) -> FaultFacts:
    """Kill the server during a run, start it again, and collect the facts."""
    claim: list[RunClaim] = []
    server.lab.checkpoint()
    with CountingProxy(address.host, address.port) as proxy:
        proxied = address.by_way_of(proxy.socket_dir)
        run = threading.Thread(target=lambda: claim.append(client.run(proxied, fault.run)))
        run.start()
        time.sleep(fault.point * seconds)
        server.kill()
        server.start_again()
        proxy.forward_to(server.lab.host)
        run.join()
    again = server.lab.at(address.dbname)
    return collect_facts(server.lab, again, client, fault, claim[0])


def fill_disk(
    fault: InjectedFault,
    server: CrashableServer,
    address: ProxyAddress,
    client: Client,
    room: float,
) -> FaultFacts:
    """Leave the server a share of the disk space of a run, and collect the facts."""
    ballast = server.folder / "ballast"
    for _ in range(_TRIES):  # the server may use some of the space meanwhile
        size = max(_free(server.folder) - int(fault.point * room), 1)
        with suppress(OSError), ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
            break
    claim = client.run(address, fault.run)
    ballast.unlink()
    if server.is_down:
        server.start_again()
    return collect_facts(server.lab, server.lab.at(address.dbname), client, fault, claim)


def measure_usage(server: CrashableServer, kind: FaultKind, run: Callable[[], object]) -> float:
    """Return the seconds of an undisturbed run, or its bytes for a full disk."""
    began, free = time.perf_counter(), _free(server.folder)
    run()
    seconds, taken = time.perf_counter() - began, free - _free(server.folder)
    return taken if kind is FaultKind.DISK else seconds


def _free(folder: Path) -> int:
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


def _children(parent: int) -> list[int]:
    command = ["ps", "-A", "-o", "pid=,ppid="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    pairs = (line.split() for line in listing.stdout.splitlines())
    return [int(pid) for pid, ppid in pairs if int(ppid) == parent]


def _mount(program: str, *words: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise OSError(f"there is no {program}")
    result = subprocess.run([path, *words], capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        raise OSError(result.stderr.strip())


def _nothing(_: str) -> None:
    """Print nothing: the certification has said already that its servers are disposable."""
