"""What the doctor found, as text for stdout. Pure: lists of lines come out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.render.text import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.diagnostics import Diagnostics, Problem
    from rung.render.terminal import Style


def diagnostics_lines(
    health: Diagnostics, style: Style, completed: Callable[[str], str] = str
) -> list[str]:
    """Each ailment with its sentence, and the SQL or the command that mends it."""
    return [line for one in health.ailments for line in _lines(one, style, completed)]


def _lines(ailment: Problem, style: Style, completed: Callable[[str], str]) -> Iterator[str]:
    kind = style.paint(ailment.kind, "dim" if ailment.harmless else "red")
    yield f"{kind}: {style.paint(ailment.name, 'bold')}"
    yield f"  {ailment.said}"
    if ailment.mend:
        mend = f"`{ailment.mend}`" if ailment.mend.startswith("rung ") else ailment.mend
        yield from (f"  {line}" for line in completed(mend).splitlines())


def diagnostics_summary(health: Diagnostics) -> str:
    """What it comes to, in a sentence."""
    if not health.ailments:
        return f"{health.database}: nothing found."
    found = [count(len(health.grave), "thing") + " to mend"]
    found += [count(len(health.harmless), "remark")] if health.harmless else []
    return f"Found {', '.join(found)}."
