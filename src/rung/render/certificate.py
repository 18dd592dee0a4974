"""A certification as text: the table of its faults, every violation, the line it comes to. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rung.render.text import aligned, count, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.certify import Certificate, Count
    from rung.render.terminal import Style

_SUMS = ("all", "left dirty", "undecided", "violations")


def certificate_lines(found: Certificate, style: Style) -> list[str]:
    """Return the table of faults by kind and run, and every violation."""
    return [*_table(found, style), *finding_lines(found, style), *question_lines(found, style)]


def finding_lines(found: Certificate, style: Style) -> list[str]:
    """Return every violation, with the fault that caused it."""
    lines = []
    for one in found.findings:
        invariant, text = one.violation
        lines.append(f"{style.paint('violation:', 'red')} {invariant.value}: {text}")
        lines.append(f"    {one.fault}, seed {found.seed}")
    return lines


def question_lines(found: Certificate, style: Style) -> list[str]:
    """Return each question that repair would ask, with its count and a fault that causes it."""
    lines = []
    for (run, told), many in Counter((one.fault.run, one.told) for one in found.questions).items():
        fault = next(
            one.fault for one in found.questions if (one.fault.run, one.told) == (run, told)
        )
        lines.append(f"{style.paint('undecided:', 'yellow')} {told}")
        lines.append(f"    {count(many, 'time')}, as by {fault}, seed {found.seed}")
    return lines


def certificate_summary(found: Certificate) -> str:
    """Return a certification's result in one sentence."""
    faults = f"{count(found.injected, 'fault')} injected on PostgreSQL {found.server}"
    many = count(len(found.findings), "violation") if found.findings else "no violation"
    asks = count(len(found.questions), "fault")
    asked = f"; after {asks} repair asks a person" if found.questions else ""
    late = f"; {found.too_late} came after the run" if found.too_late else ""
    return f"{faults} in {duration(found.seconds)}, seed {found.seed}: {many}{asked}{late}."


def _table(found: Certificate, style: Style) -> list[str]:
    pairs = {(name, direction) for name, direction, _ in found.counts}
    runs = sorted(pairs, key=lambda run: (run[0], run[1] != "up"))
    kinds = list(dict.fromkeys(kind for _, _, kind in found.counts))
    kinds.sort(key=list(type(kinds[0])).index) if kinds else None
    rows = [("fault", *(" ".join(run) for run in runs), *_SUMS)]
    rows += [_row(kind.value, [found.counts.get((*run, kind)) for run in runs]) for kind in kinds]
    by_run = [found.total_of(*run) for run in runs]
    rows.append(_row("all", by_run))
    heading, *body = aligned(rows, range(1, len(rows[0])))
    return [style.paint("  ".join(heading), "bold"), *("  ".join(cells) for cells in body)]


def _row(name: str, counts: Sequence[Count | None]) -> tuple[str, ...]:
    there = [one for one in counts if one is not None]
    each = (str(one.injected) if one is not None else "" for one in counts)
    sums = (
        sum(one.injected for one in there),
        sum(one.dirty for one in there),
        sum(one.undecided for one in there),
        sum(one.violations for one in there),
    )
    return (name, *each, *map(str, sums))
