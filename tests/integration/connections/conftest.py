"""A machine of their own for tests that stop their server, and the command as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.integration.connections.machine import machine, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["machine", "made"]


@pytest.fixture
def begin() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Give a function that starts `rung` with some words and variables."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, **variables: str) -> subprocess.Popen[str]:
        bare = {
            k: v for k, v in os.environ.items() if not k.startswith(("PG", "RUNG_D", "DATABASE"))
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "rung", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=bare | variables,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
