"""The `rung` command on SQLite, from one end to the other."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import wait_for
from tests.integration.sqlite.sites import Site, spin

from rung.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def rung(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Give the command, run in this process on the site; code, stdout and stderr."""
    monkeypatch.setenv("RUNG_DATABASE", site.url)
    monkeypatch.setenv("RUNG_SOURCE", str(site.folder))

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(words)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def test_every_command(site: Site, rung: Command) -> None:
    """Up, down, goto, force, drop and all that only reads."""
    site.add_tables(1, 2, 3)

    assert rung("version") == (0, "none\n", "")
    assert rung("plan")[1].count("transactional") == 3
    assert rung("up", "2")[0] == 0
    assert rung("check")[0] == 3
    assert rung("goto", "3")[0] == 0
    assert rung("check")[:2] == (0, "")
    assert rung("wait", "--version", "3")[0] == 0
    assert rung("down", "--yes")[0] == 0
    assert rung("version")[:2] == (0, "2\n")
    assert rung("force", "1", "--yes")[0] == 0
    assert rung("history")[1].count("done") == 5
    assert rung("drop", "--yes")[0] == 0
    assert site.tables() == set()


def test_status_for_machines(site: Site, rung: Command) -> None:
    """The place is the file, and times are told as for any database."""
    site.add_tables(1).up()
    told = json.loads(rung("status", "--json")[1])

    assert told["database"] == str(site.file)
    assert (told["schema"], told["server"][:6]) == ("main", "SQLite")
    assert told["migrations"][0]["state"] == "applied"


def test_an_edit_is_accepted(site: Site, rung: Command) -> None:
    """The edit is shown with its difference, and recorded."""
    site.add_tables(1).up()
    site.add("1_t1", "CREATE TABLE t1 (y int);")
    assert rung("up")[0] == 3
    assert rung("accept-edit", "1", "--yes")[0] == 0

    assert rung("up")[0] == 0


def test_a_drop_is_asked_for(site: Site, rung: Command) -> None:
    """Without a terminal and without --yes nothing goes."""
    site.add_tables(1).up()

    assert rung("drop")[0] == 2
    assert site.tables() == {"t1"}


@pytest.mark.parametrize("option", [("--role", "ada"), ("--ledger-table", "a.b")])
def test_what_makes_no_sense(site: Site, rung: Command, option: tuple[str, str]) -> None:
    """An option for a server is refused, not passed over."""
    assert rung("version", *option)[0] == 2


def test_ctrl_c_twice(site: Site) -> None:
    """The second interrupts the statement under way; the file is taken back."""
    site.add_tables(1).add("2_b", f"CREATE TABLE b (x); {spin(10**9)}")
    command = [sys.executable, "-m", "rung", "up", "--database", site.url]
    run = subprocess.Popen(
        [*command, "--source", str(site.folder)], stderr=subprocess.PIPE, text=True
    )
    assert wait_for(lambda: site.file.exists() and site.tables() == {"t1"})
    for words in ("stopping after this migration", "cancelling"):
        run.send_signal(signal.SIGINT)
        assert _hears(run, words)
    said = run.communicate(timeout=30)[1]

    assert run.returncode == 130, said
    assert (site.ledger(), site.tables()) == ([(1, 0)], {"t1"})


def _hears(run: subprocess.Popen[str], words: str) -> bool:
    """Whether a process says some words before it ends."""
    assert run.stderr
    return any(words in line for line in iter(run.stderr.readline, ""))
