"""What the doctor found, as text for stdout. Pure: lists of lines come out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.render.text import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.diagnostics import Ailment, Health
    from rung.render.terminal import Style


def health_lines(health: Health, style: Style, completed: Callable[[str], str] = str) -> list[str]:
    """Each ailment with its sentence, and the SQL or the command that mends it."""
    return [line for one in health.ailments for line in _lines(one, style, completed)]


def _lines(ailment: Ailment, style: Style, completed: Callable[[str], str]) -> Iterator[str]:
    kind = style.paint(ailment.kind, "dim" if ailment.harmless else "red")
    yield f"{kind}: {style.paint(ailment.name, 'bold')}"
    yield f"  {ailment.said}"
    if ailment.mend:
        mend = f"`{ailment.mend}`" if ailment.mend.startswith("rung ") else ailment.mend
        yield from (f"  {line}" for line in completed(mend).splitlines())


def health_summary(health: Health) -> str:
    """What it comes to, in a sentence."""
    if not health.ailments:
        return f"{health.database}: nothing found."
    found = [count(len(health.grave), "thing") + " to mend"]
    found += [count(len(health.harmless), "remark")] if health.harmless else []
    return f"Found {', '.join(found)}."
