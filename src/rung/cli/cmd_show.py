"""The commands that only read: version, status, history, plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.cli.invocation import make_migrator, open_database
from rung.render.terminal import is_terminal

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation


def version(call: Invocation) -> None:
    """Print the version, `none` before the first, and `(dirty)` if the database is dirty."""
    with open_database(call) as database:
        ledger = make_migrator(call, database).version()
    if call.console.json:
        from rung.render import json_output as shapes

        call.json(shapes.version(ledger))
        return
    shown = "none" if ledger.version is None else str(ledger.version)
    call.console.data(f"{shown} (dirty)" if ledger.dirty else shown)


def status(call: Invocation) -> None:
    """Print every migration with its state."""
    source = call.settings.need_source()
    with open_database(call) as database:
        found = make_migrator(call, database, source=source).status()
    if call.console.json:
        from rung.render import json_output as shapes

        call.json(shapes.status(found))
        return
    from rung.render.tables import status_summary, status_table

    console = call.console
    for line in status_table(found, console.out_style, local=is_terminal(console.out)):
        console.data(line)
    for note in found.notes:
        console.detail(note)
    console.state(status_summary(found))


def history(call: Invocation) -> None:
    """Print every attempt, the newest last."""
    with open_database(call) as database:
        entries = make_migrator(call, database).history()
    if call.console.json:
        from rung.render import json_output as shapes

        call.json(shapes.history(entries))
        return
    from rung.render.tables import history_table

    console = call.console
    for line in history_table(entries, console.out_style, local=is_terminal(console.out)):
        console.data(line)


def plan(call: Invocation) -> None:
    """Print what would run."""
    source = call.settings.need_source()
    with open_database(call) as database:
        found = make_migrator(call, database, source=source).plan(call.goal)
    if call.console.json:
        from rung.render import json_output as shapes

        call.json(shapes.preview(found))
        return
    from rung.render.tables import plan_lines, plan_summary

    for line in plan_lines(found, call.console.out_style):
        call.console.data(line)
    call.console.detail(plan_summary(found))
