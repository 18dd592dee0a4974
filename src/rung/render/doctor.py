"""The problems that `doctor` found, as lines for stdout. Pure."""

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
    """Yield each problem with its description, and the SQL or the command that fixes it."""
    return [line for one in health.problems for line in _lines(one, style, completed)]


def _lines(problem: Problem, style: Style, completed: Callable[[str], str]) -> Iterator[str]:
    kind = style.paint(problem.kind, "dim" if problem.harmless else "red")
    yield f"{kind}: {style.paint(problem.name, 'bold')}"
    yield f"  {problem.description}"
    if problem.fix:
        fix = f"`{problem.fix}`" if problem.fix.startswith("rung ") else problem.fix
        yield from (f"  {line}" for line in completed(fix).splitlines())


def diagnostics_summary(health: Diagnostics) -> str:
    """Return the `database:` line of the problems."""
    if not health.problems:
        return f"{health.database}; no problem found"
    found = [count(len(health.serious), "problem") + " found"]
    found += [count(len(health.harmless), "remark")] if health.harmless else []
    return f"{health.database}; {', '.join(found)}"
