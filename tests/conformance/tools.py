"""
The two commands that are compared: golang-migrate's binary, and ours in this process.

Where something happens beside a command, ours runs as a process of its own too.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Protocol
from unittest.mock import patch

from tests.conformance.scenario import Said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.conformance.interference import Beside

LIMIT = 60.0
"""Seconds until a command that does not end is killed."""
_KEPT = ("PATH", "HOME", "PYTHONPATH", "TMPDIR", "XDG_CACHE_HOME", "COVERAGE_PROCESS_START")


@dataclass(frozen=True, slots=True)
class Call:
    """A command as it is started: its words, what it reads, where and with what environment."""

    words: tuple[str, ...]
    stdin: str
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    beside: Beside | None = None


class Tool(Protocol):
    """One of the two commands."""

    def run(self, call: Call) -> Said:
        """Run to the end."""
        ...


@dataclass(frozen=True, slots=True)
class Process:
    """A command that is a program."""

    program: tuple[str, ...]

    def run(self, call: Call) -> Said:
        with ExitStack() as stack:
            if call.beside is not None:
                call.beside.begin(stack)
            process = self._start(call)
            said_before = b""
            if call.beside is not None:
                said_before = call.beside.accompany(process, stack)
            return _ended(process, call.stdin, said_before)

    def _start(self, call: Call) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self.program, *call.words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=call.cwd,
            env=_environment(call.env),
        )


@dataclass(frozen=True, slots=True)
class InProcess:
    """Our command, called in this process."""

    def run(self, call: Call) -> Said:
        if call.beside is not None:
            return Process((sys.executable, "-m", "rung.golang_migrate")).run(call)
        main = import_module("rung.golang_migrate.main").main
        stdout, stderr = _writer(), _writer()
        with _as_process(call, stdout, stderr):
            try:
                code = main(list(call.words))
            except SystemExit as end:
                code = end.code
        return Said(int(code or 0), _written(stderr), _written(stdout))


def ours() -> InProcess | None:
    """Give our command; None where there is none yet."""
    has_package = find_spec("rung.golang_migrate") is not None
    return InProcess() if has_package and find_spec("rung.golang_migrate.main") else None


def real(binary: Path) -> Process:
    """Give golang-migrate's binary as a command."""
    return Process((str(binary),))


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "TZ": "UTC", **more}


def _ended(process: subprocess.Popen[bytes], stdin: str, said_before: bytes) -> Said:
    code: int | None
    try:
        out, err = process.communicate(stdin.encode(), timeout=LIMIT)
        code = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        code = None
    return Said(code, _text(said_before + err), _text(out))


@contextmanager
def _as_process(call: Call, stdout: IO[str], stderr: IO[str]) -> Iterator[None]:
    """Give a function what a process has: streams, environment, a working directory."""
    stdin = io.TextIOWrapper(io.BytesIO(call.stdin.encode()), encoding="utf-8")
    environment = patch.dict(os.environ, _environment(call.env), clear=True)
    with (
        chdir(call.cwd),
        environment,
        patch.object(sys, "stdin", stdin),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
    ):
        time.tzset()
        yield
    time.tzset()


def _writer() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return _text(stream.buffer.getvalue())


def _text(data: bytes) -> str:
    return data.decode(errors="backslashreplace")
