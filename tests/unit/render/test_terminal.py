"""Data and talk each have their stream, and colours are for terminals."""

from __future__ import annotations

import io

import pytest

from rung.render.terminal import Console, Style, is_terminal, style_for


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(text)


def test_data_and_talk_are_apart() -> None:
    """A result is the only thing on stdout."""
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err)
    console.data("7")
    console.say("Nothing to do.")
    console.warn("odd")

    assert (out.getvalue(), err.getvalue()) == ("7\n", "Nothing to do.\nwarning: odd\n")


def test_quiet_leaves_only_what_must_be_said() -> None:
    """Errors and questions."""
    err = io.StringIO()
    console = Console(io.StringIO(), err, quiet=True)
    console.say("talk")
    console.warn("odd")
    console.insist("error")

    assert err.getvalue() == "error\n"


@pytest.mark.parametrize("err", [None, _Gone()])
def test_talk_that_nobody_hears_is_no_error(err: io.StringIO | None) -> None:
    """A run is not ended by a closed stderr, and its result still comes."""
    out = io.StringIO()
    console = Console(out, err)
    console.say("progress")
    console.data("7")

    assert out.getvalue() == "7\n"


def test_a_closed_stdout_takes_no_data() -> None:
    """Some service managers start programs so."""
    err = io.StringIO()
    console = Console(None, err)
    console.data("7")
    console.say("talk")

    assert err.getvalue() == "talk\n"


@pytest.mark.parametrize(
    ("environ", "wanted", "expected"),
    [
        ({}, True, True),
        ({"NO_COLOR": ""}, True, True),
        ({"NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({}, False, False),
    ],
)
def test_colours_can_be_turned_off(
    environ: dict[str, str], *, wanted: bool, expected: bool
) -> None:
    """By the environment and by the command line."""
    assert Style(expected) == style_for(_Terminal(), environ, wanted=wanted)


def test_only_a_terminal_is_a_terminal() -> None:
    """Not a pipe, not a closed stream, not a missing one."""
    closed = io.StringIO()
    closed.close()

    assert [is_terminal(stream) for stream in (_Terminal(), io.StringIO(), closed, None)] == [
        True,
        False,
        False,
        False,
    ]


def test_paint_is_for_enabled_styles() -> None:
    """And an empty colour is none."""
    painted = [
        Style(enabled).safe(Style(enabled).paint("x", colour))
        for enabled, colour in ((True, "red"), (True, ""), (False, "red"))
    ]

    assert painted == ["\x1b[31mx\x1b[0m", "x", "x"]
