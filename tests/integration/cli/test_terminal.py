"""The command on a terminal: questions, colours and the live line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.cli.conftest import Ended, Screen


def test_yes_goes_down(on_terminal: Callable[..., Screen], rung: Callable[..., Ended]) -> None:
    """The question names the way and the database."""
    rung("goto", "1")
    screen = on_terminal("down")
    screen.wait_for("[y/N] ")
    screen.type("y\n")

    assert screen.end() == 0
    assert "Go down from version 1 to no version on postgres@" in screen.shown
    assert rung("version").out == "none\n"


def test_anything_else_does_not(
    on_terminal: Callable[..., Screen], rung: Callable[..., Ended]
) -> None:
    """An empty line is a no."""
    rung("goto", "1")
    screen = on_terminal("down")
    screen.wait_for("[y/N] ")
    screen.type("\n")

    assert screen.end() == 2
    assert rung("version").out == "1\n"


def test_an_interrupt_is_an_answer_too(
    on_terminal: Callable[..., Screen], rung: Callable[..., Ended]
) -> None:
    """Nothing is run, and the code says why."""
    rung("goto", "1")
    screen = on_terminal("drop")
    screen.wait_for("[y/N] ")
    screen.process.send_signal(2)

    assert screen.end() == 130
    assert rung("version").out == "1\n"


def test_a_live_line_shows_what_runs(on_terminal: Callable[..., Screen], folder: Path) -> None:
    """And is gone at the end; the finished lines stay."""
    (folder / "2_roles.up.sql").write_text("SELECT pg_sleep(1);\n")
    screen = on_terminal("up")
    screen.wait_for("up 2 roles")

    assert screen.end() == 0
    assert "1/3" in screen.shown
    last = screen.shown.rpartition("\x1b[2K")[2]
    assert last == "\x1b[1mdatabase:\x1b[0m at version 3; applied 3 migrations\r\n"


def test_states_are_coloured(on_terminal: Callable[..., Screen]) -> None:
    """Unless it is told not to."""
    coloured, plain = on_terminal("status"), on_terminal("status", "--no-color")

    assert (coloured.end(), plain.end()) == (0, 0)
    assert "\x1b[33mpending" in coloured.shown
    assert "\x1b[" not in plain.shown
