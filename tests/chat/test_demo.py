"""What `make serve` starts, as far as it differs from the service's own process: how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.chat.image import ROOT
from tests.chat.serving import until

if TYPE_CHECKING:
    from pathlib import Path

    from rung.embedded import EmbeddedServer


def anybody_in(group: int) -> bool:
    """Whether a group of processes has a member left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_and_leaves_nothing(
    server: EmbeddedServer, tmp_path: Path, ending: signal.Signals
) -> None:
    """It holds its conversation, stays until it is told to end, and the service ends with it."""
    printed = tmp_path / "printed"
    command = [sys.executable, "-m", "demo.service", "--stay"]
    with (
        printed.open("wb") as out,
        subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        until(lambda: process.poll() is not None or "until Ctrl-C" in printed.read_text())
        process.send_signal(ending)
        code = process.wait(60)
    said = printed.read_text()

    assert (code, anybody_in(process.pid)) == (0, False), said
    assert said.splitlines()[-1] == "demo: Ended."
    assert "3 answers" in said
