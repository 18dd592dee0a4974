"""Status, history and plan as text for stdout. Pure: lists of lines come out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.ledger import Outcome
from rung.planning.down_choice import NOT_REVERTED
from rung.render.errors import painted_diff
from rung.render.text import aligned, at, count, duration, moment, results
from rung.script import Mode, contents_of, redacted_sql, secrets_of, units_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.errors import EditedFile
    from rung.execution.preflight import PreparedStep
    from rung.execution.run import PlanPreview
    from rung.ledger import Attempt
    from rung.planning.plan import Plan, Step
    from rung.planning.status import Status, StatusLine
    from rung.render.terminal import Style
    from rung.script.data_loss import DataLoss

_COLOURS = {
    "applied": "green",
    "pending": "yellow",
    "out of order": "red",
    "edited": "red",
    "dirty": "red",
    "missing": "red",
    "ahead": "red",
    "empty": "yellow",
    "not reverted": "red",
    "forced": "yellow",
    "replaced": "red",
    "unwritten": "yellow",
    "down-only": "red",
    Outcome.DONE.value: "green",
    Outcome.FAILED.value: "red",
    Outcome.RUNNING.value: "yellow",
}
_COUNTED = (
    *("out of order", "edited", "replaced", "missing", "ahead"),
    *("empty", "unwritten", "down-only"),
    *("forced", "not reverted"),
)
"""The states that the summary of a status counts, besides pending."""
_RUNS = ("up", "down")
"""The directions of a history in which SQL ran; the others only recorded something."""
_SQL_COLUMNS = 80
_CHECKSUM_DIGITS = 12
_CASCADES = "Effects of rules, triggers and functions are not listed."


def status_table(status: Status, style: Style, *, local: bool) -> list[str]:
    """Return a heading and a line for each migration."""
    heading = ("version", "name", "state", "applied", "took", "checksum", "by", "note")
    rows = [_status_row(line, local=local) for line in status.lines]
    return _table(_without_notes([heading, *rows]), style, right=(0, 4))


def problem_table(status: Status, style: Style) -> list[str]:
    """Return a line for each migration that is not plainly applied."""
    rows = [(str(line.version), line.name, line.state, line.note) for line in status.problems]
    return _table(_without_notes([("version", "name", "state", "note"), *rows]), style, right=(0,))


def _without_notes(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the rows without their last column if it is empty."""
    _, *body = rows
    return list(rows) if any(row[-1] for row in body) else [row[:-1] for row in rows]


def _status_row(line: StatusLine, *, local: bool) -> tuple[str, ...]:
    return (
        str(line.version),
        line.name,
        line.state,
        moment(line.finished, local=local) if line.finished else "",
        "" if line.seconds is None else duration(line.seconds),
        (line.checksum or "")[:_CHECKSUM_DIGITS],
        line.tool,
        line.note,
    )


def check_notes(status: Status) -> list[str]:
    """Return what a check counts and does not fail for by itself."""
    counted = (
        (status.undeclared, "up file", "without a statement, and not declared empty"),
        (status.empty_downs, "down", "empty or missing, so that it cannot be reverted"),
        (status.edited_downs, "down", "edited since the up was applied"),
    )
    return [
        f"{what}: {count(len(versions), noun)} ({', '.join(map(str, versions))})"
        for versions, noun, what in counted
        if versions
    ]


def check_summary(status: Status, *, failed: bool = False) -> str:
    """Return a check's `database:` line; it may fail for what is only counted."""
    where = f"{status.database}, {status.ledger}"
    if not status.problems:
        plain = where if status.ledger.dirty else f"{where}; up to date"
        return f"{where}; fails --strict or require-downs" if failed else plain
    states = (
        *("dirty", "ahead", "replaced", "edited", "out of order", "missing", "down-only"),
        *("not reverted", "unwritten", "pending"),
    )
    found = [(len(status.versions(state)), state) for state in states]
    found.append((len(status.uncompared), "not compared"))
    found.append((len(status.unreadable_downs), "with an unreadable down"))
    return f"{where}; " + ", ".join(f"{many} {state}" for many, state in found if many)


def status_summary(status: Status) -> str:
    """Return a status's `database:` line."""
    where = f"{status.database} (schema {status.schema}, {status.server}), {status.ledger}"
    left = [f"{len(status.pending)} pending" if status.pending else "nothing pending"]
    left += [f"{len(found)} {state}" for state in _COUNTED if (found := status.versions(state))]
    return f"{where}; {', '.join(left)}"


def history_table(history: Sequence[Attempt], style: Style, *, local: bool) -> list[str]:
    """Return a line for each attempt, the newest last."""
    heading = (
        *("id", "version", "name", "direction", "outcome", "started", "took"),
        *("statements", "who", "error"),
    )
    rows = [_history_row(entry, local=local) for entry in history]
    return _table((heading, *rows), style, right=(0, 1, 6, 7))


def _history_row(entry: Attempt, *, local: bool) -> tuple[str, ...]:
    ran = entry.finished if entry.direction in _RUNS else None
    took = (ran - entry.started).total_seconds() if ran else None
    error = (entry.error or "").splitlines()
    return (
        str(entry.id),
        "none" if entry.version is None else str(entry.version),
        entry.name,
        entry.direction,
        entry.result,
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
        ended = (*cells[:-1], cells[-1].rstrip())
        painted = (style.paint(cell, _COLOURS.get(cell.strip(), "")) for cell in ended)
        lines.append("  ".join(painted).rstrip())
    return lines


def plan_lines(preview: PlanPreview, style: Style) -> list[str]:
    """Return what would run, statement by statement, and what data would be lost."""
    lines = [line for item in preview.prepared for line in _step_lines(item, style)]
    if preview.losses:
        lines += ["will be lost:", *loss_lines(preview.losses), _CASCADES]
    return lines


def _step_lines(item: PreparedStep, style: Style) -> Iterator[str]:
    step, script = item.step, item.script
    title = f"{step.direction.value} {step.version} {step.title}"
    order = "  (out of order: the ledger's version stays)" if step.before == step.after else ""
    yield f"{style.paint(title, 'bold')}  {_what_runs(item)}{order}"
    if step.stored is not None:
        yield from _stored_lines(item)
    if not script.statements:
        return
    yield f"  {script.mode.value}: {script.reason}"
    if said := item.new_value:
        yield f"  {said}"
    if refused := item.golang_migrate_refuses:
        yield f"  incompatible with golang-migrate: {refused}"
    if step.done:
        yield f"  resumes after statement {step.done} of {len(script.statements)}"
    yield from _unit_lines(item)


def _unit_lines(item: PreparedStep) -> Iterator[str]:
    """Yield the statements of a step, grouped by what commits together."""
    script = item.script
    columns = max((len(str(s.line)) for s in script.statements), default=1)
    secrets = secrets_of(script)
    for unit in units_after(script, item.step.done):
        if script.mode is Mode.UNITS:
            yield f"  {_UNITS[unit.transaction]}:"
        for statement in script.statements[unit.first - 1 : unit.last]:
            sql = redacted_sql(script, statement.start, statement.end, secrets)
            yield f"    line {statement.line:>{columns}}  {_first(sql)}"


def _what_runs(item: PreparedStep) -> str:
    """Return the file that runs, or why nothing does."""
    step = item.step
    if step.passes == NOT_REVERTED:
        return "not reverted: its down is empty or missing, and the ledger skips it"
    if step.passes and not step.migration.down:
        return "empty: its up had no statement, so nothing is reverted"
    if item.script.statements:
        return item.file
    if not item.file and not step.passes:
        return "no file: the ledger changes, nothing runs"
    half = step.half or step.migration.half(step.direction)
    file = half.file if half else ""
    said = contents_of(half.text, item.script.dialect).empty if half else ""
    return f"{file}  empty: {said or 'nothing runs'}"


def _stored_lines(item: PreparedStep) -> Iterator[str]:
    """Yield the whole text from the history that runs instead of a file."""
    stored = item.step.stored
    assert stored is not None
    yield f"  runs the stored down, SHA-256 {stored.sha256}:"
    if stored.unseen:
        yield f"  {stored.unseen}"
    yield from (f"    | {line}" for line in redacted_sql(item.script).splitlines())


_UNITS = {
    "ours": "a transaction",
    "own": "a transaction of the file's own",
    "none": "without a transaction",
}


def _first(sql: str) -> str:
    """Return a statement on one line, cut to a screen's width."""
    flat = " ".join(sql.split())
    return flat if len(flat) <= _SQL_COLUMNS else flat[: _SQL_COLUMNS - 1] + "…"


def plan_summary(preview: PlanPreview) -> str:
    """Return a plan's effect in one sentence."""
    plan = preview.plan
    if not plan.steps:
        return f"Nothing to do; the database is {at(plan.target)}."
    verbs = ("apply", "revert", "skip", "not revert")
    steps = results([item.result for item in preview.prepared], verbs)
    steps += " in one transaction" if preview.atomic else ""
    stays = plan.target == plan.made_for.version and not plan.made_for.dirty
    be = "stay" if stays else "be"
    return f"Would {steps}; the database would {be} {at(plan.target)}."


def step_range(plan: Plan) -> str:
    """Return the versions at which a plan begins and ends."""
    target = "no version" if plan.target is None else f"version {plan.target}"
    return f"from version {plan.made_for.version} to {target}"


def down_lines(preview: PlanPreview) -> list[str]:
    """Return what going down would run and delete, for a question."""
    lines = ["detail: These migrations will run:"]
    for item in preview.prepared:
        step = item.step
        lines.append(f"  {step.direction.value} {step.version} {step.title}  {_what_runs(item)}")
        lines += _stored_lines(item) if step.stored is not None else ()
    if not preview.losses:
        return [*lines, "detail: Their SQL drops no table or column and deletes no rows."]
    return [
        *lines,
        "warning: this data will be lost:",
        *loss_lines(preview.losses),
        f"  {_CASCADES}",
    ]


def unreverted_lines(steps: Sequence[Step]) -> list[str]:
    """Return what a down would skip, for a question."""
    lines = [f"  {step.version} {step.title}" for step in steps]
    return ["warning: these have no down; what their up created stays in the database:", *lines]


def drop_lines(losses: Sequence[DataLoss]) -> list[str]:
    """Return what a drop would delete, for a question."""
    return ["warning: these objects will be dropped:", *loss_lines(losses), f"  {_CASCADES}"]


def edit_lines(edits: Sequence[EditedFile], style: Style) -> list[str]:
    """Return the differences between the applied text and the file."""
    kept = [edit.diff or f"{edit.file}: the applied text is not stored." for edit in edits]
    return painted_diff((line for diff in kept for line in diff.splitlines()), style)


def loss_lines(losses: Sequence[DataLoss]) -> list[str]:
    """Return a line for each data loss."""
    return [f"  {loss}" for loss in losses]
