"""
What every test gets as a process: signals that work, a time limit, and an end for what it starts.

A run in the background (`nohup`, a CI job) may have inherited SIGINT as ignored, and so would
every process that a test starts: the signal is put back to its default here, once, before the
first test. A process that a test started and left is killed when the test ends, with its
children; after a timeout before the fixtures end, because one of them may wait for it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_started: list[subprocess.Popen[Any]] = []
_popen_init = subprocess.Popen.__init__


def pytest_configure(config: pytest.Config) -> None:
    """Put SIGINT back to its default, and note every process that is started from now on."""
    del config
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    subprocess.Popen.__init__ = _noted  # type: ignore[method-assign]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave `subprocess` as it was."""
    del config
    subprocess.Popen.__init__ = _popen_init  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Kill what a test started as soon as it ran out of time: a fixture may wait for it."""
    del item
    if call.excinfo is not None and "Timeout" in str(call.excinfo.value):
        _end_all()
    return (yield)


@pytest.fixture(autouse=True)
def _processes_end_with_the_test() -> Iterator[None]:
    """Kill the processes that the test started and left; set up before other fixtures of it."""
    _started.clear()
    yield
    _end_all()


def _noted(self: subprocess.Popen[Any], *arguments: Any, **named: Any) -> None:  # noqa: ANN401
    _popen_init(self, *arguments, **named)
    _started.append(self)


def _end_all() -> None:
    """Kill every noted process that still runs, and its descendants."""
    alive = [process for process in _started if process.poll() is None]
    _started.clear()
    children = _children_by_parent() if alive else {}
    for process in alive:
        for pid in _descendants(process.pid, children):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _children_by_parent() -> dict[int, list[int]]:
    """Every process by its parent, from /proc; empty where there is none (macOS)."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name, in parentheses, may hold spaces; the parent is the second field after it.
            parent = entry.read_text().rpartition(")")[2].split()[1]
            children[int(parent)].append(int(entry.parent.name))
    return children


def _descendants(pid: int, children: dict[int, list[int]]) -> Iterator[int]:
    yield pid
    for child in children.get(pid, ()):
        yield from _descendants(child, children)
