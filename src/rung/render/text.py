"""Values as plain text: durations, times, tables, and the sentence that a run ends with. Pure."""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING

from rung.escaping import columns, escaped_line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from rung.execution.outcomes import RunReport

_MINUTE, _HOUR = 60, 3600


def duration(seconds: float) -> str:
    """Return a duration in words: `<1 ms`, `12 ms`, `1.3 s`, `2 min 5 s`, `1 h 2 min`."""
    if seconds < 0.0005:  # noqa: PLR2004 - what would round to 0 ms
        return "<1 ms"
    if seconds < 0.9995:  # noqa: PLR2004 - what would round to 1000 ms is a second
        return f"{seconds * 1000:.0f} ms"
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def moment(when: datetime, *, local: bool = False) -> str:
    """Return a time: in UTC as ISO 8601 for machines, or in the reader's own zone."""
    if local:
        return f"{when.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    return f"{when.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"  # noqa: UP017


def count(number: int, what: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def one_line(text: str) -> str:
    """Return a text for one line of a log: no character of it ends the line, or is obeyed."""
    return escaped_line(text)


def aligned(
    rows: Sequence[Sequence[str]], right: Collection[int] = ()
) -> tuple[tuple[str, ...], ...]:
    """
    The cells of a table, filled with blanks to one width for each column.

    Args:
        rows: the heading and the rows below it, of equal length.
        right: the columns, from 0, that are set to the right.
    """
    rows = [[escaped_line(cell) for cell in row] for row in rows]
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    return tuple(
        tuple(_fill(cell, widths[at], right=at in right) for at, cell in enumerate(row))
        for row in rows
    )


def _fill(cell: str, width: int, *, right: bool) -> str:
    blank = " " * (width - columns(cell))
    return blank + cell if right else cell + blank


def at(version: int | None) -> str:
    """Return where a database is."""
    return "at no version" if version is None else f"at version {version}"


def results(found: Sequence[str], verbs: Sequence[str]) -> str:
    """
    Count the results of the steps of a run: `applied 2 migrations and skipped 1 empty migration`.

    Args:
        found: what came of each step, see `rung.runner.StepReport`.
        verbs: the words for what is applied, reverted, empty and not reverted.
    """
    kinds = ("applied", "reverted", "empty", "not reverted")
    nouns = ("migration", "migration", "empty migration", "migration")
    ways = zip(verbs, nouns, (found.count(kind) for kind in kinds), strict=True)
    return " and ".join(f"{verb} {count(many, noun)}" for verb, noun, many in ways if many)


def outcome(report: RunReport) -> str:
    """Return a run's `database:` line."""
    if report.nothing_to_do:
        return f"{at(report.version)}; nothing to do"
    verbs = ("applied", "reverted", "skipped", "did not revert")
    done = results([step.result for step in report.steps], verbs)
    if report.missing_steps:
        done += f", {report.missing_steps} fewer than requested because there are no more"
    return f"{at(report.version)}; {done}"
