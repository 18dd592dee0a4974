"""The entry of the command, as far as it needs no database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rung import __version__
from rung.cli import cmd_create
from rung.cli.commands import COMMANDS
from rung.cli.main import main

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation

_LOADED = """
import sys
from rung.cli.main import main
code = main(sys.argv[1:])
print([name for name in sys.modules if name in ("psycopg", "rung.drivers.postgres", "rich")])
sys.exit(code)
"""


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, without the settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in ("RUNG_DATABASE", "DATABASE_URL", "RUNG_SOURCE"):
        monkeypatch.delenv(name, raising=False)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, for it was asked for."""
    code = main(["--help"])
    shown = capsys.readouterr().out

    assert code == 0
    assert list(COMMANDS) == [name for name in COMMANDS if f"\n  {name} " in shown]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By the option or by `help COMMAND`, and without any other argument."""
    shown = []
    for line in ([command, "--help"], ["-h", command], ["help", command]):
        assert main(line) == 0
        shown.append(capsys.readouterr().out)

    assert shown[0].startswith(f"usage: rung {command}")
    assert [shown[0]] * 3 == shown


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_its_own_options_first(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then an example and the exit codes; the options of every command are one line."""
    main([command, "--help"])
    own, example, rest = capsys.readouterr().out.partition("\nexample:\n  rung ")
    codes = re.findall(r"^  (\d+) +\S", rest, re.MULTILINE)

    assert example
    assert codes[:3] == ["0", "1", "2"]
    assert "--role" not in own
    assert rest.endswith("`rung help options`\n")


def test_the_help_of_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    """`rung help options` has those of every command."""
    assert main(["help", "options"]) == 0
    assert "-d, --database URL" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--versoin", 'unrecognized option: "--versoin"'),
        ("stauts --help", 'unrecognized command: "stauts"'),
        ("help stauts", 'unrecognized command: "stauts"'),
        ("help up down", 'unexpected argument: "down"'),
        ("upgrade head", 'unrecognized command: "upgrade"'),
    ],
)
def test_an_unrecognized_word_is_an_error(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not the help."""
    code = main(line.split())
    shown = capsys.readouterr()

    assert (code, shown.out) == (2, "")
    assert shown.err.startswith(f"error: {said}\n")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the program, not of a database."""
    assert main(["--version"]) == 0
    assert f"rung {__version__}\n" == capsys.readouterr().out


def test_no_command_at_all_is_a_fault_of_use(capsys: pytest.CaptureFixture[str]) -> None:
    """The help is then talk, on stderr."""
    code = main([])
    shown = capsys.readouterr()

    assert (code, shown.out) == (2, "")
    assert "usage: rung COMMAND" in shown.err


def test_an_error_is_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Stdout stays empty for those who read data."""
    code = main(["up", "x"])
    shown = capsys.readouterr()

    expected = 'error: invalid number of steps: "x"\n'
    assert (code, shown.out) == (2, "")
    assert shown.err.startswith(expected)


def test_an_error_is_data_too_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Even where the command line itself has the fault."""
    code = main(["up", "x", "--json"])
    error = json.loads(capsys.readouterr().out)["error"]

    assert code == 2
    assert (error["code"], error["exit_code"]) == ("usage-error", 2)


@pytest.mark.parametrize("command", ["up", "down", "status", "plan", "version", "drop", "history"])
def test_a_database_is_needed(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And the way to name one is told."""
    Path("migrations").mkdir()

    assert main([command]) == 2
    assert "RUNG_DATABASE" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["up"], ["goto", "1"], ["create", "x"], ["force", "1"]])
def test_a_source_is_needed(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And the way to name one is told."""
    assert main([*command, "-d", "host=nowhere"]) == 2
    assert "RUNG_SOURCE" in capsys.readouterr().err


def test_create_prints_the_two_paths(capsys: pytest.CaptureFixture[str]) -> None:
    """Six digits, the next after the greatest."""
    Path("migrations").mkdir()
    main(["create", "first step"])
    capsys.readouterr()

    assert main(["create", "second"]) == 0
    expected = "migrations/000002_second.up.sql\nmigrations/000002_second.down.sql\n"
    assert expected == capsys.readouterr().out


def test_create_makes_the_folder_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """So that a new project begins with one command."""
    assert main(["create", "x", "-s", "sql", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)

    assert made["up"] == "sql/000001_x.up.sql"
    assert [Path(made[half]).exists() for half in ("up", "down")] == [True, True]


def test_create_numbers_by_time_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """Fourteen digits, in UTC."""
    main(["create", "x", "-s", "sql", "--timestamp"])

    number = Path(capsys.readouterr().out.splitlines()[0]).name.partition("_")[0]
    assert (len(number), number[:2]) == (14, "20")


def test_create_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """A package is read from, not written to."""
    assert main(["create", "x", "-s", "package:chat"]) == 2
    assert "cannot create files in a package" in capsys.readouterr().err


@pytest.mark.parametrize("line", [["--help"], ["--version"], ["create", "x", "-s", "m"]])
def test_no_driver_is_loaded_without_need(line: list[str]) -> None:
    """Neither psycopg nor rich, which are slow to import."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *line], capture_output=True, text=True, check=True
    )

    assert done.stdout.endswith("[]\n")


def test_an_unforeseen_error_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A traceback is for those who ask for it, and hides the password from them too."""

    def break_down(call: Invocation) -> None:
        raise ValueError(call.settings.database)

    monkeypatch.setattr(cmd_create, "create", break_down)
    line = ["create", "x", "-d", "postgresql://me:s3cret@db/chat"]

    assert main(line) == 1
    assert main([*line, "--verbose"]) == 1
    brief, _, told = capsys.readouterr().err.partition("Traceback")
    assert brief.startswith("error: internal: ValueError: postgresql://me:***@db/chat\n")
    assert "break_down" in told
    assert "s3cret" not in told


def test_a_reader_that_left_is_no_error() -> None:
    """As with `rung … | head`: no traceback, no message."""
    command = [sys.executable, "-m", "rung", "--help"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)

    assert (done.returncode, done.stderr) == (0, b"")


def test_the_module_is_the_command() -> None:
    """`python -m rung` is `rung`, exit code included."""
    command = [sys.executable, "-m", "rung", "up", "x"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith('error: invalid number of steps: "x"\n')
