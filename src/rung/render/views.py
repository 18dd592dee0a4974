"""Status, history and plan as text for stdout. Pure: lists of lines come out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.ledger import Outcome
from rung.render.text import aligned, at, count, duration, moment
from rung.statements import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.ledger import HistoryEntry
    from rung.losses import Loss
    from rung.plan import Plan
    from rung.render.terminal import Style
    from rung.runner import Prepared
    from rung.runs import Preview
    from rung.statements import Statement
    from rung.status import Status, StatusLine

_COLOURS = {
    "applied": "green",
    "pending": "yellow",
    "dirty": "red",
    "missing": "red",
    Outcome.DONE.value: "green",
    Outcome.FAILED.value: "red",
    Outcome.RUNNING.value: "yellow",
}
_SQL_COLUMNS = 80
_CHECKSUM_DIGITS = 12
_CASCADES = "What a cascade inside the database takes along is not listed."


def status_table(status: Status, style: Style, *, local: bool) -> list[str]:
    """Every migration in a line, under a heading."""
    heading = ("version", "name", "state", "applied", "took", "checksum", "by")
    rows = [_status_row(line, local=local) for line in status.lines]
    return _table((heading, *rows), style, right=(0, 4))


def _status_row(line: StatusLine, *, local: bool) -> tuple[str, ...]:
    return (
        str(line.version),
        line.name,
        line.state,
        moment(line.finished, local=local) if line.finished else "",
        "" if line.seconds is None else duration(line.seconds),
        (line.checksum or "")[:_CHECKSUM_DIGITS],
        line.tool,
    )


def status_summary(status: Status) -> str:
    """The whole of a status in a sentence."""
    where = f"{status.database} (schema {status.schema}, {status.server})"
    dirty = "dirty " if status.ledger.dirty else ""
    left = f"{len(status.pending)} pending" if status.pending else "nothing pending"
    return f"{where} is {dirty}{at(status.ledger.version)}; {left}."


def history_table(history: Sequence[HistoryEntry], style: Style, *, local: bool) -> list[str]:
    """Every attempt in a line, the newest last."""
    heading = (
        *("id", "version", "name", "direction", "outcome", "started", "took"),
        *("statements", "who", "error"),
    )
    rows = [_history_row(entry, local=local) for entry in history]
    return _table((heading, *rows), style, right=(0, 1, 6, 7))


def _history_row(entry: HistoryEntry, *, local: bool) -> tuple[str, ...]:
    took = (entry.finished - entry.started).total_seconds() if entry.finished else None
    error = (entry.error or "").splitlines()
    return (
        str(entry.id),
        "none" if entry.version is None else str(entry.version),
        entry.name,
        entry.direction,
        entry.outcome.value,
        moment(entry.started, local=local),
        "" if took is None else duration(took),
        f"{entry.statements_done}/{entry.statements_total}" if entry.statements_total else "",
        f"{entry.database_user}@{entry.host}",
        error[0] if error else "",
    )


def _table(rows: Sequence[Sequence[str]], style: Style, right: tuple[int, ...]) -> list[str]:
    heading, *body = aligned(rows, right)
    lines = [style.paint("  ".join(heading).rstrip(), "bold")]
    for cells in body:
        painted = [style.paint(cell, _COLOURS.get(cell.strip(), "")) for cell in cells[:-1]]
        lines.append("  ".join((*painted, cells[-1])).rstrip())
    return lines


def plan_lines(preview: Preview, style: Style) -> list[str]:
    """What would run, statement by statement, and what would go."""
    lines = [line for item in preview.prepared for line in _step_lines(item, style)]
    if preview.losses:
        lines += ["takes away:", *loss_lines(preview.losses), _CASCADES]
    return lines


def _step_lines(item: Prepared, style: Style) -> Iterator[str]:
    step, script = item.step, item.script
    title = f"{step.direction.value} {step.version} {step.title}"
    yield f"{style.paint(title, 'bold')}  {item.file or 'no file: the ledger moves, nothing runs'}"
    if not item.file:
        return
    yield f"  {script.mode.value}: {script.reason}"
    columns = max((len(str(s.line)) for s in script.statements), default=1)
    for unit in script.units:
        if script.mode is Mode.UNITS:
            yield f"  {_UNITS[unit.transaction]}:"
        for statement in script.statements[unit.first - 1 : unit.last]:
            yield f"    line {statement.line:>{columns}}  {_first(script.text, statement)}"


_UNITS = {
    "ours": "a transaction",
    "own": "a transaction of the file's own",
    "none": "without a transaction",
}


def _first(text: str, statement: Statement) -> str:
    """A statement on one line, cut to what a screen shows."""
    flat = " ".join(text[statement.start : statement.end].split())
    return flat if len(flat) <= _SQL_COLUMNS else flat[: _SQL_COLUMNS - 1] + "…"


def plan_summary(preview: Preview) -> str:
    """What a plan comes to, in a sentence."""
    plan = preview.plan
    if not plan.steps:
        return f"Nothing to do; the database is {at(plan.target)}."
    verb = "apply" if plan.steps[0].direction.value == "up" else "revert"
    steps = count(len(plan.steps), "migration")
    return f"Would {verb} {steps}; the database would be {at(plan.target)}."


def step_range(plan: Plan) -> str:
    """From which version to which a plan goes."""
    target = "no version" if plan.target is None else f"version {plan.target}"
    return f"from version {plan.made_for.version} to {target}"


def down_lines(preview: Preview) -> list[str]:
    """What going down would run and take away, for the person who is asked."""
    lines = ["These would run:"]
    lines += [_down_line(item) for item in preview.prepared]
    if not preview.losses:
        return [*lines, "Their SQL names no table, column or rows to take away."]
    return [*lines, "They take away:", *loss_lines(preview.losses), _CASCADES]


def _down_line(item: Prepared) -> str:
    step = item.step
    nothing = "" if item.file else " (no file: the ledger moves, nothing runs)"
    return f"  {step.direction.value} {step.version} {step.title}{nothing}"


def drop_lines(losses: Sequence[Loss]) -> list[str]:
    """What a drop would take away, for the person who is asked."""
    return ["A drop takes away:", *loss_lines(losses), _CASCADES]


def loss_lines(losses: Sequence[Loss]) -> list[str]:
    """What would go, a line each."""
    return [f"  {loss}" for loss in losses]
