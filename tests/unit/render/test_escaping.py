"""Nothing that a server, a file or the history says is obeyed by a terminal."""

from __future__ import annotations

import io
import json

import pytest

from rung.errors import MigrationFailed, ServerMessage, SourceLocation, UsageError
from rung.escaping import escaped, escaped_line
from rung.golang_migrate.main import main
from rung.render import json_output as shapes
from rung.render.errors import error_text
from rung.render.terminal import Console, Style
from rung.render.text import aligned

_EVIL = "\x00\x07\b\r\x1b[2K\x1b[1A\x7f\x85\x9b2J\u061c\u200e\u200f\u2028\u2029\u202e\u2066\ud800"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\x7f\x9b", "a\\rb\\x7f\\x9b"),
        ("\u202e\u2028\ud800", "\\u202e\\u2028\\ud800"),
        ("é ü 日本 👍\tx\ny", "é ü 日本 👍\tx\ny"),
    ],
)
def test_what_is_obeyed_is_made_visible(text: str, expected: str) -> None:
    """Letters of any script, tabs and line ends stay."""
    assert escaped(text) == expected
    assert escaped_line(text) == expected.replace("\n", "\\n").replace("\t", "\\t")


@pytest.mark.parametrize("colours", [True, False])
def test_both_streams_show_it_visibly(*, colours: bool) -> None:
    """With colours and without; a line that is drawn again, too."""
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err, Style(colours), Style(colours))
    console.data(_EVIL)
    console.say(_EVIL)
    console.warn(console.err_style.paint(_EVIL, "red"))
    console.redraw(_EVIL)
    shown = (out.getvalue() + err.getvalue()).replace("\r\x1b[K", "")
    for code in ("31", "33", "0"):
        shown = shown.replace(f"\x1b[{code}m", "")

    assert [one for one in shown if one in _EVIL and not one.isascii()] == []
    assert [one for one in shown if one in "\x00\x07\b\r\x1b\x7f"] == []


@pytest.mark.parametrize("evil", ["\x1b[31m", "\x1b[0m", "\x1b[1mx\x1b[0m", "\x1b[2;31m", "\u202e"])
def test_the_colours_of_others_are_escaped_on_a_coloured_terminal(evil: str) -> None:
    """Bare and inside our own paint; only our own codes reach the terminal."""
    out, style = io.StringIO(), Style(enabled=True)
    console = Console(out, None, style, style)
    console.data(f"{evil}{style.paint(evil, 'red')}{evil}")
    text = escaped(evil)

    assert out.getvalue() == f"{text}\x1b[31m{text}\x1b[0m{text}\n"


def test_a_table_shows_colours_of_others_as_text() -> None:
    """Names come from files, attempts from history rows, reasons from the server."""
    style, red = Style(enabled=True), "\x1b[31m"
    error = UsageError(f"no {red}", f"look {red}")
    shown = style.safe(error_text(error, style))

    assert shown.count("\\x1b[31m") == 2
    assert shown.count(red) == 1  # of our own label


def test_a_caret_stands_below_what_is_shown() -> None:
    """Behind the visible form of what is before it."""
    place = SourceLocation("1_a.up.sql", 2, 9, "SELECT \x1b x")
    error = MigrationFailed(
        (), "It is clean.", version=1, direction="up", place=place, server=ServerMessage("no")
    )
    line, caret = error_text(error, Style()).splitlines()[2:4]

    assert line == "  2 | SELECT \\x1b x"
    assert line[caret.index("^")] == " "


def test_a_table_keeps_its_columns() -> None:
    """A cell is one line, whatever the history holds."""
    rows = aligned([("a", "b"), ("x\ny\x1b", "z")])

    assert [len(row[0]) for row in rows] == [8, 8]


def test_json_has_no_raw_ones_and_means_the_same() -> None:
    """JSON itself would leave some of them raw."""
    text = shapes.dumps("x", {"said": _EVIL})

    assert [one for one in text if one in _EVIL and not one.isalnum() and one not in "[2KAJ"] == []
    assert json.loads(text)["said"] == _EVIL


def test_a_word_of_the_command_line_is_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    """Also where golang-migrate's command does not know the flag."""
    assert main(["-x\x1b[2K", "up"]) == 2

    assert "-x\\x1b[2K" in capsys.readouterr().err
