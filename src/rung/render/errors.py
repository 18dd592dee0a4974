"""
An error as the lines that a person reads: what happened, where, what is true now, what next.

A line of SQL that is longer than a screen is cut to the part around the caret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import EditedMigrations, MigrationFailed
from rung.escaping import escaped
from rung.render.text import width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rung.errors import RungError, SourceLocation
    from rung.render.terminal import Style

_LONGEST = 110
_OF_DIFF = {"+": "green", "-": "red", "@": "cyan"}


def error_text(error: RungError, style: Style, completed: Callable[[str], str] = str) -> str:
    """
    All that is said of an error, in the order in which it is wanted.

    Args:
        error: what happened.
        style: the colours.
        completed: adds a call's options to the commands that are named.
    """
    first, *more = error.cause.splitlines() or [""]
    lines = [f"{style.paint('error:', 'red')} {style.paint(first, 'bold')}"]
    if isinstance(error, EditedMigrations):
        lines += [f"  {line}" for line in painted_diff(error.looked_at.splitlines(), style)]
    elif isinstance(error, MigrationFailed):
        lines += [f"  {line}" for line in place_lines(error.place, style)]
        lines += [f"  {line}" for line in more]
    else:
        lines += [f"  {line}" for line in (*more, *error.looked_at.splitlines())]
    lines += completed(error.state).splitlines()
    lines += [style.paint(line, "cyan") for line in completed(error.advice).splitlines()]
    return "\n".join(lines)


def painted_diff(lines: Iterable[str], style: Style) -> list[str]:
    """The lines of a unified diff, in the usual colours."""
    return [style.paint(line, _OF_DIFF.get(line[:1], "")) for line in lines]


def place_lines(place: SourceLocation, style: Style) -> list[str]:
    """A place in a file, its line of SQL, and a caret where the column is known."""
    if not place.excerpt:
        return [place.file]
    where = f"{place.file}:{place.line}" + (f":{place.column}" if place.column else "")
    before, after = map(escaped, _around(place))
    number = f"{place.line} | "
    lines = [where, style.paint(number, "dim") + before + after]
    if place.column:
        blank = "".join(
            "\t" if character == "\t" else " " * width(character) for character in before
        )
        lines.append(" " * len(number) + blank + style.paint("^", "red"))
    return lines


def _around(place: SourceLocation) -> tuple[str, str]:
    """The excerpt on both sides of its caret, cut to what a screen shows."""
    before, after = place.split
    if len(before) > _LONGEST * 2 // 3:
        before = "…" + before[-(_LONGEST // 2) :]
    room = _LONGEST - len(before)
    return before, after if len(after) <= room else after[:room] + "…"
