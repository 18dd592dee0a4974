"""What tests start ends with them, however the run itself was started."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.promises.files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_TESTS = """
import signal, subprocess, sys, time
import pytest

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]

def test_interrupt_ends_a_child():
    child = subprocess.Popen(SLEEP)
    child.send_signal(signal.SIGINT)
    assert child.wait(20) == -signal.SIGINT

def test_leaves_a_child():
    print("child", subprocess.Popen(SLEEP).pid)

@pytest.fixture
def waits():
    child = subprocess.Popen(SLEEP)
    yield
    child.wait()

@pytest.mark.timeout(1)
def test_runs_out_of_time(waits):
    time.sleep(600)
"""


def test_a_run_in_the_background_ends_with_all_it_started(tmp_path: Path) -> None:
    """With SIGINT ignored, a child hears it, a lost child is killed, and a hung test fails."""
    (tmp_path / "test_it.py").write_text(_TESTS)
    words = (
        "-p",
        "tests.processes",
        "-p",
        "no:cacheprovider",
        "-rP",
        "--rootdir",
        ".",
        "test_it.py",
    )
    command = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-m", "pytest", *words]
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    child = ended.stdout.partition("child ")[2].split()[0]
    alive = subprocess.run(["ps", "-p", child], check=False, capture_output=True)

    assert "1 failed, 2 passed" in ended.stdout, ended.stdout
    assert alive.returncode == 1
