"""Words of a command line, in any order, become one request."""

from __future__ import annotations

import pytest

from rung.cli.arguments import ParsedArguments, Words, parse, sort_words
from rung.errors import UsageError
from rung.planning.plan import Down, Goto, Up


def _parsed(line: str) -> ParsedArguments:
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
    expected = ParsedArguments("up", database="db", source="m", json=True, goal=Up(2))

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


def test_late_versions_are_named_one_by_one() -> None:
    """Of up, goto and plan; a list is answered with how to write it."""
    lines = (
        "up 1 --allow-out-of-order 2 --allow-out-of-order=3",
        "goto 7 --allow-out-of-order 2",
        "plan --allow-out-of-order 2",
    )
    with pytest.raises(UsageError) as caught:
        _parsed("up --allow-out-of-order 2,3")

    goals = [_parsed(line).goal for line in lines]
    assert goals == [Up(1, (2, 3)), Goto(7, (2,)), Up(allow_out_of_order=(2,))]
    assert caught.value.advice == "Give it for each: --allow-out-of-order 2 --allow-out-of-order 3"


@pytest.mark.parametrize(
    ("line", "expected"),
    [("up --if-ahead ok", "ok"), ("plan --if-ahead fail", "fail"), ("up", None), ("down", None)],
)
def test_the_policy_for_a_database_ahead_may_be_left_open(line: str, expected: str | None) -> None:
    """Then the project's settings decide."""
    assert expected == _parsed(line).if_ahead


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("wait", ParsedArguments("wait")),
        ("wait 7 --timeout 2m", ParsedArguments("wait", version=7, timeout=120.0)),
        ("--timeout=0 wait newest", ParsedArguments("wait", newest=True, timeout=0.0)),
    ],
)
def test_wait_reads_what_it_waits_for(line: str, expected: ParsedArguments) -> None:
    """Nothing, a version, or that of the files; and for how long."""
    assert expected == _parsed(line)


@pytest.mark.parametrize("line", ["wait latest", "wait -1", "wait --timeout 3", "up --timeout 3s"])
def test_wait_refuses_what_it_cannot_read(line: str) -> None:
    """A duration has a unit, and no other command has that option."""
    with pytest.raises(UsageError):
        _parsed(line)


def test_how_the_database_is_used() -> None:
    """Every command takes the role and the names of the tables."""
    line = "version --role owner --ledger-table s.l --history-table=h"
    expected = ParsedArguments("version", role="owner", ledger_table="s.l", history_table="h")

    assert expected == _parsed(line)


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

    assert ParsedArguments("create", name="add user roles", timestamp=True) == request


def test_letters_cluster() -> None:
    """Flags of one letter may share a dash, the last may take a value."""
    request = _parsed("-qyd db version")

    assert ParsedArguments("version", database="db", quiet=True, yes=True) == request


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
        ("up --allow-out-of-order x", "'x' is no version."),
        ("up --allow-out-of-order -1", "-1 is no version: it is negative."),
        ("up --allow-out-of-order 2,3", "--allow-out-of-order takes one version."),
        ("plan down --allow-out-of-order 2", "--allow-out-of-order goes with up and goto."),
        ("down --allow-out-of-order 2", "rung down: --allow-out-of-order is no option of it."),
        ("plan goto 2 --if-ahead ok", "--if-ahead goes with up."),
        ("goto 2 --if-ahead ok", "rung goto: --if-ahead is no option of it."),
        ("accept-edit", "rung accept-edit: the following arguments are required: V."),
        ("accept-edit -1", "-1 is no version: it is negative."),
        ("check 1", "rung check: 1 is one argument too many."),
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

    assert caught.value.advice == "Did you mean `rung status`? See `rung --help` for the commands."


def test_sorting_judges_nothing() -> None:
    """Unknown options stay options, numbers and a lone dash are arguments."""
    typed = ("--odd", "up", "-", "-5", "-v", "--", "--json")

    assert Words("up", ("--odd", "-v"), ("-", "-5", "--json"), typed) == sort_words(typed)


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


def test_how_locks_are_waited_for() -> None:
    """Durations, 0 among them, and names that may be given again; for what runs migrations."""
    found = _parsed(
        "down --lock-timeout 0 --lock-retry-for 2m --cancel-blockers a --cancel-blockers b"
    )

    assert (found.lock_timeout, found.lock_retry_for) == (0.0, 120.0)
    assert found.cancel_blockers == ("a", "b")
    with pytest.raises(UsageError, match="--lock-timeout"):
        _parsed("status --lock-timeout")


@pytest.mark.parametrize("words", ["down --allow-missing-down", "goto 1 --allow-missing-down"])
def test_what_cannot_be_reverted_may_be_passed_by_down_and_goto(words: str) -> None:
    """Both take the option, themselves and in a plan."""
    for line in (words, f"plan {words}"):
        goal = parse(sort_words(line.split())).goal
        assert isinstance(goal, Down | Goto)
        assert goal.downs.unreverted
