"""Processes that use an embedded server, and waiting for what they bring about."""

from __future__ import annotations

import fcntl
import grp
import os
import pwd
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rung.embedded.supervisor import SUPERVISOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SOURCES = Path(__file__).parents[3] / "src"


@dataclass(slots=True)
class User:
    """A process of its own that holds a server until it is told to end."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def socket_dir(self) -> Path:
        return Path(self.lines[0])

    @property
    def pid(self) -> int:
        return int(self.lines[1])

    @property
    def supervisor_pid(self) -> int:
        return int(self.lines[2])

    def up(self) -> User:
        """Wait until its server is up; an AssertionError has what it wrote where it is not."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        while line := self.process.stdout.readline().strip():
            if line == "up":
                return self
            self.lines.append(line)
        raise AssertionError(self.process.stderr.read())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> str:
        """Have it let go and end; what it wrote to stderr."""
        return self.process.communicate("\n")[1]


USER_PROGRAM = """
import sys
from pathlib import Path
from rung.embedded import start
place = Path(sys.argv[1]) if len(sys.argv) > 1 else None
with start(place, say=lambda text: print(text, file=sys.stderr)) as server:
    print(server.socket_dir, server.pid, server.supervisor_pid, "up", sep="\\n", flush=True)
    sys.stdin.readline()
"""


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be collected does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until a condition holds; False where it does not come about in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def await_stopped(home: Path) -> None:
    """Wait until no supervisor of a kept folder lives; its lock is free then."""
    descriptor = os.open(home / SUPERVISOR, os.O_RDWR | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.close(descriptor)


def begin(
    *arguments: object,
    python: str = sys.executable,
    environ: Mapping[str, str] | None = None,
    account: str | None = None,
) -> User:
    """Start a process that takes a server, as another account if one is named."""
    process = subprocess.Popen(
        [python, "-c", USER_PROGRAM, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(SOURCES), **(environ or {})},
        user=account,
        group=None if account is None else grp.getgrgid(pwd.getpwnam(account).pw_gid).gr_name,
        extra_groups=None if account is None else [],
    )
    return User(process)
