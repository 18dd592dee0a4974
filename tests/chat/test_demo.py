"""What `make serve` starts: what it says, and how it ends, whoever of it is ended by what."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tests.chat.image import ROOT
from tests.chat.serving import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.embedded import EmbeddedServer


def anybody_in(group: int) -> bool:
    """Whether a group of processes has a member left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def serve(printed: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `make serve`, in this environment, until it serves."""
    made = f"{sys.prefix}/.demo"  # it is up to date: this runs in it
    command = ["make", "serve", f"VENV={sys.prefix}", "-o", made]
    with (
        printed.open("wb") as out,
        subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_hear_all,  # noqa: PLW1509 - no other thread runs here
        ) as process,
    ):
        until(lambda: process.poll() is not None or "until Ctrl-C" in printed.read_text())
        yield process


def _hear_all() -> None:
    """Hear every signal, though tests that run under `nohup` have inherited SIGHUP as ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def members(group: int, command: str) -> list[int]:
    """The processes of a group that run a module."""
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,pgid=,args="], check=True, capture_output=True, text=True
    )
    rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return [int(pid) for pid, of, args in rows if int(of) == group and f"-m {command}" in args]


def said(printed: Path, name: str) -> str:
    """What it said of something, behind its name."""
    [found] = re.findall(rf"^demo: {name}: +(.*)$", printed.read_text(), re.MULTILINE)
    return str(found)


def gone(group: int, printed: Path) -> bool:
    """Whether nothing is left of it: no process, and no socket of its database."""
    folder = parse_qs(urlsplit(said(printed, "The database")).query)["host"][0]
    return not anybody_in(group) and not Path(folder).exists()


def test_what_it_says_can_be_tried(server: EmbeddedServer, tmp_path: Path) -> None:
    """The page is where it says, and the command that it prints shows the migrations."""
    printed = tmp_path / "printed"
    with serve(printed) as process:
        page = httpx2.get(said(printed, "The page")).text
        command = re.findall(r"^demo:   (.*)$", printed.read_text(), re.MULTILINE)[-1]
        status = subprocess.run(
            command, shell=True, cwd=ROOT, check=True, capture_output=True, text=True
        )
        os.killpg(process.pid, signal.SIGTERM)

    assert "<title>Chat</title>" in page
    assert "initial_schema" in status.stdout
    assert "3 answers" in printed.read_text()


@pytest.mark.parametrize(
    ("ending", "alone"),
    [
        (signal.SIGINT, False),
        *(
            pytest.param(*row, marks=pytest.mark.slow)
            for row in [
                (signal.SIGTERM, False),
                (signal.SIGHUP, False),
                (signal.SIGQUIT, False),
                (signal.SIGTERM, True),
            ]
        ),
    ],
)
def test_every_signal_ends_it(
    server: EmbeddedServer,
    tmp_path: Path,
    ending: signal.Signals,
    alone: bool,  # noqa: FBT001 - a case
) -> None:
    """A signal to all of it, as a terminal sends them, or SIGTERM to `make`, ends it cleanly."""
    printed = tmp_path / "printed"
    with serve(printed) as process:
        (os.kill if alone else os.killpg)(process.pid, ending)
        process.wait(60)
        until(lambda: gone(process.pid, printed))

    assert "demo: Ended." in printed.read_text()
    assert "Traceback" not in printed.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("module", [None, "demo.service"])
def test_a_kill_leaves_nothing(server: EmbeddedServer, tmp_path: Path, module: str | None) -> None:
    """Where `make` alone is killed, or what it runs, the service and its database end as well."""
    printed = tmp_path / "printed"
    with serve(printed) as process:
        [victim] = members(process.pid, module) if module else [process.pid]
        os.kill(victim, signal.SIGKILL)
        until(lambda: process.poll() is not None and gone(process.pid, printed))

    assert members(process.pid, "demo.tied") == []
