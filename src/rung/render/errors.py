"""An error in the labelled form: `error:`, the place with a caret, then a block for each label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import EditedMigrations
from rung.errors.base import labelled
from rung.escaping import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rung.errors import RungError, SourceLocation
    from rung.render.terminal import Style

_OF_DIFF = {"+": "green", "-": "red", "@": "cyan"}
_COLOURS = {"error": "red", "warning": "yellow", "hint": "cyan"}


def error_text(error: RungError, style: Style, completed: Callable[[str], str] = str) -> str:
    """
    Render an error with its place and its labelled blocks.

    Args:
        error: what happened.
        style: the colours.
        completed: adds a call's options to the commands that are named.
    """
    first, *more = labelled("error", error.cause)
    lines = [
        f"{_label('error', style)} {style.paint(first.removeprefix('error: '), 'bold')}",
        *more,
    ]
    if error.where:
        lines += _place(error.where, style)
    for label, text in error.blocks:
        is_diff = label == "detail" and isinstance(error, EditedMigrations)
        shown = text if label == "detail" else completed(text)
        lines += block_lines(label, shown, style, diff=is_diff)
    return "\n".join(lines)


def block_lines(label: str, text: str, style: Style, *, diff: bool = False) -> Iterator[str]:
    """
    Yield the lines of a block: the first behind its label, the others indented.

    Args:
        label: `warning`, `detail`, …, without its colon.
        text: one line or several.
        style: the colours.
        diff: whether the text is a unified diff, which begins below its label.
    """
    if diff:
        yield _label(label, style)
        yield from (f"  {line}" for line in painted_diff(text.splitlines(), style))
        return
    first, *more = labelled(label, text)
    yield _label(label, style) + first.removeprefix(f"{label}:")
    yield from more


def _label(label: str, style: Style) -> str:
    return style.paint(f"{label}:", _COLOURS.get(label, "bold"))


def painted_diff(lines: Iterable[str], style: Style) -> list[str]:
    """Return the lines of a unified diff in the usual colours."""
    return [style.paint(line, _OF_DIFF.get(line[:1], "")) for line in lines]


def _place(where: SourceLocation, style: Style) -> Iterator[str]:
    arrow, *excerpt = where.lines()
    yield arrow
    for line in excerpt:
        gutter, bar, rest = line.partition("|")
        is_caret = not gutter.strip()
        yield style.paint(gutter + bar, "dim") + (style.paint(rest, "red") if is_caret else rest)


def full_text(error: RungError) -> str:
    """Render an error for a log: the first line without a label, then its place and blocks."""
    return escaped("\n".join((error.cause, *error.lines())))
