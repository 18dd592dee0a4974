"""
The report, as a page of text and as JSON.

Nothing is measured or compared here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bench.figures import extra_ms, ratios, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bench.figures import Bills, Spread, Table, Target
    from bench.lightness import Imported, Look
    from bench.measure import Bill, Timed, Timing


@dataclass(frozen=True, slots=True)
class Report:
    """
    The results of one run of the benchmark.

    Args:
        facts: the machine and the programs, by name.
        look: None where Rung's command is missing.
    """

    facts: Mapping[str, str]
    bills: Sequence[Bills]
    tables: Sequence[Table]
    imported: Sequence[Imported]
    look: Look | None
    targets: Sequence[Target]


def as_json(report: Report) -> str:
    """Return everything as JSON, including raw timings in seconds, and the ratios."""
    tables = [
        {
            **asdict(table),
            "ratios": {
                "full": _plain(ratios(table, lambda row: row.full)),
                "idle": _plain(ratios(table, lambda row: row.idle)),
            },
        }
        for table in report.tables
    ]
    return json.dumps({**asdict(report), "tables": tables}, default=str, indent=2)


def as_text(report: Report) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield from _grid(["", ""], report.facts.items())
    for bills in report.bills:
        yield from _bills(bills)
    for table in report.tables:
        yield from _table(table)
    if report.look is not None:
        yield from _start(report.imported, report.look)
    if report.targets:
        yield from _title("Targets")
        rows = ((_verdict(t), t.what, t.wanted, t.got) for t in report.targets)
        yield from _grid(["", "", "wanted", "got"], rows)


def _bills(bills: Bills) -> Iterator[str]:
    yield from _title(f"{bills.load.name}, counted")
    head = ["", "run", "sessions", "round trips", "commits", "by server", "looks", "sent", "back"]
    rows = [
        (row.contender, run, *_bill(bill))
        for row in bills.rows
        for run, bill in (("pending", row.full), ("idle", row.idle))
        if bill is not None
    ]
    yield from _grid(head, rows)


def _bill(bill: Bill) -> tuple[str, ...]:
    seen = bill.counts
    figures = (seen.connections, seen.round_trips, seen.commits, bill.xids, seen.looks)
    return (*(f"{n:,}" for n in figures), _size(seen.bytes_sent), _size(seen.bytes_received))


def _table(table: Table) -> Iterator[str]:
    yield from _title(f"{table.load.name}, {table.server}, ms")
    rows = [
        (row.contender, run, _ms(t.wall for t in runs), _ms(t.cpu for t in runs))
        for row in table.rows
        for run, runs in (("pending", row.full), ("idle", row.idle))
        if runs
    ]
    yield from _grid(["", "run", "wall, median (min-max)", "own processor"], rows)
    yield from _ratio_line("pending", table, lambda row: row.full)
    yield from _ratio_line("idle", table, lambda row: row.idle)


def _ratio_line(run: str, table: Table, runs: Callable[[Timed], Sequence[Timing]]) -> Iterator[str]:
    for name, figure in ratios(table, runs).items():
        yield (f"  {run}: Rung / {name} = {figure.median:.2f} ({figure.low:.2f}-{figure.high:.2f})")


def _start(imported: Iterable[Imported], look: Look) -> Iterator[str]:
    yield from _title("Starting")
    rows = ((one.what, str(one.modules), ", ".join(one.drivers) or "none") for one in imported)
    yield from _grid(["", "modules", "drivers"], rows)
    walls = {"rung version": look.rung, "least process": look.least}
    yield from _grid(
        ["", "ms"], ((name, _ms(t.wall for t in runs)) for name, runs in walls.items())
    )
    extra = extra_ms(look)
    yield f"  beyond it: {extra.median:.0f} ms ({extra.low:.0f}-{extra.high:.0f})"


def _plain(figures: Mapping[str, Spread]) -> dict[str, dict[str, float]]:
    return {name: asdict(figure) for name, figure in figures.items()}


def _verdict(target: Target) -> str:
    return "reached" if target.reached else "MISSED"


def _ms(seconds: Iterable[float]) -> str:
    figure = spread(1000 * one for one in seconds)
    return f"{figure.median:,.0f} ({figure.low:,.0f}-{figure.high:,.0f})"


def _size(count: int) -> str:
    return f"{count / 1024:,.0f} KiB"


def _title(text: str) -> list[str]:
    return ["", text, "-" * len(text)]


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return columns of equal width, words to the left and figures to the right."""
    table = [list(head), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    numeric = [_numeric(column[1:]) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in table
    ]
    return lines if any(head) else lines[1:]


def _numeric(cells: Sequence[str]) -> bool:
    return all(cell[:1].isdigit() for cell in cells)
