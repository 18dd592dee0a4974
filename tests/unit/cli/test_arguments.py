"""Words of a command line, in any order, become one request."""

from __future__ import annotations

import pytest

from rung.cli.arguments import Given, ParsedArguments, Words, parse, sort_words
from rung.cli.options import OPTIONS, CliSettings
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
    """Before the command, after it, and between its arguments."""
    settings = CliSettings(database="db", source="m", json=True)

    assert _parsed(line) == ParsedArguments("up", settings, Up(2))


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


def test_out_of_order_versions_are_named_one_by_one() -> None:
    """By up, goto and plan; the error about a list says how to write it."""
    lines = (
        "up 1 --allow-out-of-order 2 --allow-out-of-order=3",
        "goto 7 --allow-out-of-order 2",
        "plan --allow-out-of-order 2",
    )
    with pytest.raises(UsageError) as caught:
        _parsed("up --allow-out-of-order 2,3")

    goals = [_parsed(line).goal for line in lines]
    assert goals == [Up(1, (2, 3)), Goto(7, (2,)), Up(allow_out_of_order=(2,))]
    assert caught.value.hint == "repeat the option: --allow-out-of-order 2 --allow-out-of-order 3"


@pytest.mark.parametrize(
    ("line", "expected"),
    [("up --if-ahead ok", "ok"), ("plan --if-ahead fail", "fail"), ("up", None), ("down", None)],
)
def test_the_policy_for_a_database_ahead_may_be_left_open(line: str, expected: str | None) -> None:
    """Then the project's settings decide."""
    assert _parsed(line).settings.if_ahead == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("wait", ParsedArguments("wait")),
        ("wait 7 --timeout 2m", ParsedArguments("wait", CliSettings(timeout=120.0), version=7)),
        ("--timeout=0 wait newest", ParsedArguments("wait", CliSettings(timeout=0.0), newest=True)),
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
    expected = CliSettings(role="owner", ledger_table="s.l", history_table="h")

    assert _parsed(line).settings == expected


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

    assert request == ParsedArguments("create", CliSettings(timestamp=True), name="add user roles")


def test_letters_cluster() -> None:
    """Flags of one letter may share a dash, the last may take a value."""
    request = _parsed("-qyd db version")

    assert request.settings == CliSettings(database="db", quiet=True, yes=True)


def test_a_duration_becomes_seconds() -> None:
    """The bound of a wait is a number in the request."""
    assert _parsed("up --wait-for-lock 1m30s").settings.wait_for_lock == 90.0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("up x", 'invalid number of steps: "x"'),
        ("up -1", 'invalid number of steps: "-1" is negative'),
        ("up 1 2", 'unexpected argument: "2"'),
        ("check 1", 'unexpected argument: "1"'),
        ("version --all", 'option "--all" does not apply to version'),
        ("goto", "missing argument: V"),
        ("plan goto", "missing argument: V"),
        ("accept-edit", "missing argument: V"),
        ("plan sideways", 'invalid goal of a plan: "sideways"'),
        ("down 2 --all", 'option "--all" and a number of steps cannot be used together'),
        ("plan --all", 'option "--all" does not apply to plan up'),
        ("up --allow-out-of-order x", 'invalid version: "x"'),
        ("up --allow-out-of-order -1", 'invalid version: "-1" is negative'),
        ("up --allow-out-of-order 2,3", "--allow-out-of-order takes one version"),
        (
            "plan down --allow-out-of-order 2",
            'option "--allow-out-of-order" does not apply to plan down',
        ),
        ("down --allow-out-of-order 2", 'option "--allow-out-of-order" does not apply to down'),
        ("plan goto 2 --if-ahead ok", 'option "--if-ahead" does not apply to plan goto'),
        ("goto 2 --if-ahead ok", 'option "--if-ahead" does not apply to goto'),
        ("up --if-ahead maybe", 'invalid value for --if-ahead: "maybe"'),
        ("plan up --allow-missing-down", 'option "--allow-missing-down" does not apply to plan up'),
        ("plan up --use-edited-down", 'option "--use-edited-down" does not apply to plan up'),
        ("plan down --atomic", 'option "--atomic" does not apply to plan down'),
        ("plan goto 2 --resume", 'option "--resume" does not apply to plan goto'),
        ("up --atomic --resume", 'options "--atomic" and "--resume" cannot be used together'),
        ("accept-edit -1", 'invalid version: "-1" is negative'),
        ("up --json=yes", 'option "--json" takes no value'),
        ("up --database", 'option "--database" needs a value'),
        ("up -d --json", 'option "-d" needs a value'),
        ("up --wait-for-lock 5", 'invalid duration for --wait-for-lock: "5"'),
    ],
)
def test_an_invalid_line_has_its_reason(line: str, said: str) -> None:
    """Nothing is guessed and nothing abbreviated."""
    with pytest.raises(UsageError) as caught:
        _parsed(line)

    assert said == caught.value.cause


def test_sorting_judges_nothing() -> None:
    """Unrecognized options stay options, numbers and a lone dash are arguments."""
    typed = ("--odd", "up", "-", "-5", "-v", "--", "--json")
    options = (Given("--odd", None), Given("-v", OPTIONS["--verbose"]))

    assert sort_words(typed) == Words("up", options, ("-", "-5", "--json"), typed)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("-v",), True),
        (("-qv",), True),
        (("--verbose",), True),
        (("-dv",), False),
        (("-s", "-v"), False),
        (("-s", "a:v"), False),
        (("-verbose",), False),
    ],
)
def test_a_flag_is_found_in_a_cluster(options: tuple[str, ...], *, expected: bool) -> None:
    """What follows a letter that takes a value is that value."""
    assert expected == sort_words(options).has("--verbose")


def test_how_locks_are_waited_for() -> None:
    """Durations, 0 among them, and names that may be given again; for what runs migrations."""
    found = _parsed(
        "down --lock-timeout 0 --lock-retry-for 2m --cancel-blockers a --cancel-blockers b"
    ).settings

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
