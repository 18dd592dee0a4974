"""Words of a command line, in any order, become one request."""

from __future__ import annotations

import pytest

from rung.cli.arguments import Request, Words, parse, sort_words
from rung.errors import UsageError
from rung.plan import Down, Goto, Up


def _parsed(line: str) -> Request:
    return parse(sort_words(line.split()))


@pytest.mark.parametrize(
    "line",
    [
        "up 2 --json -d db --source m",
        "--json up -d db 2 --source=m",
        "-d db -s m --json up 2",
        "-ddb up --source m 2 --json",
        "--database=db up --json -s m -- 2",
    ],
)
def test_options_stand_anywhere(line: str) -> None:
    """Before the command, behind it, and between its arguments is all the same."""
    expected = Request("up", database="db", source="m", json=True, goal=Up(2))

    assert expected == _parsed(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("up", Up()),
        ("up 0", Up(0)),
        ("down", Down(1)),
        ("down 3", Down(3)),
        ("down --all", Down(None)),
        ("goto 7", Goto(7)),
        ("plan", Up()),
        ("plan up --json 2", Up(2)),
        ("plan down", Down(1)),
        ("plan down --all", Down(None)),
        ("plan goto 3", Goto(3)),
    ],
)
def test_a_goal_is_read(line: str, expected: object) -> None:
    """Each way has its number; down alone is one step."""
    assert expected == _parsed(line).goal


@pytest.mark.parametrize(
    ("line", "expected"),
    [("force 3", 3), ("force -1", None), ("force -- -1", None), ("-y force -1 --json", None)],
)
def test_force_reads_its_version(line: str, expected: int | None) -> None:
    """-1 is a number wherever it stands, never an option."""
    assert expected == _parsed(line).version


def test_create_reads_its_name() -> None:
    """A name may hold blanks, and the flag may stand before it."""
    request = parse(sort_words(["create", "--timestamp", "add user roles"]))

    assert Request("create", name="add user roles", timestamp=True) == request


def test_letters_cluster() -> None:
    """Flags of one letter may share a dash, the last may take a value."""
    request = _parsed("-qyd db version")

    assert Request("version", database="db", quiet=True, yes=True) == request


def test_a_duration_becomes_seconds() -> None:
    """The bound of a wait is a number in the request."""
    assert _parsed("up --wait-for-lock 1m30s").wait_for_lock == 90.0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("upp", "'upp' is no command of rung."),
        ("up x", "'x' is no number of steps."),
        ("up -1", "-1 is no number of steps: it is negative."),
        ("up 1 2", "rung up: 2 is one argument too many."),
        ("up --jso", "rung up: --jso is no option of it."),
        ("version --all", "rung version: --all is no option of it."),
        ("goto", "rung goto: the following arguments are required: V."),
        ("down 2 --all", "--all goes with down, and without a number."),
        ("plan --all", "--all goes with down, and without a number."),
        ("plan goto", "goto needs a version."),
        ("up --database", "rung up: argument -d/--database: expected one argument."),
        ("up -d --json", "rung up: argument -d/--database: expected one argument."),
        ("up --wait-for-lock 5", "'5' is no duration for --wait-for-lock."),
    ],
)
def test_a_wrong_line_is_refused_with_its_reason(line: str, said: str) -> None:
    """Nothing is guessed and nothing abbreviated."""
    with pytest.raises(UsageError) as caught:
        _parsed(line)

    assert said == caught.value.cause


def test_a_mistyped_command_is_told_the_nearest() -> None:
    """The advice names the command that was probably meant."""
    with pytest.raises(UsageError) as caught:
        _parsed("stauts")

    assert caught.value.advice == "Did you mean rung status? See rung --help for the commands."


def test_sorting_judges_nothing() -> None:
    """Unknown options stay options, numbers and a lone dash are arguments."""
    words = sort_words(["--odd", "up", "-", "-5", "-v", "--", "--json"])

    assert Words("up", ("--odd", "-v"), ("-", "-5", "--json")) == words


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("-v",), True),
        (("-qv",), True),
        (("--verbose",), True),
        (("-dv",), False),
        (("-s", "-v"), False),
        (("-s", "a:v"), False),
    ],
)
def test_a_flag_is_found_in_a_cluster(options: tuple[str, ...], *, expected: bool) -> None:
    """What follows a letter that takes a value is that value."""
    assert expected == Words("up", options, ()).has("--verbose", "v")
