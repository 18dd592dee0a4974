"""`rung doctor`: print the problems that failed work has left; change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.cli.exit_codes import ExitCode
from rung.cli.invocation import make_migrator, open_database

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation


def doctor(call: Invocation) -> ExitCode:
    """Print every problem; the exit code says whether one has to be fixed."""
    with open_database(call) as database:
        found = make_migrator(call, database, source=call.settings.source or "").doctor()
    code = ExitCode.DONE
    if found.serious:
        code = ExitCode.DIRTY if found.dirty else ExitCode.PROBLEMS
    if call.console.json:
        from rung.render import json_output as shapes

        call.json(shapes.health(found, code))
        return code
    from rung.render.doctor import diagnostics_lines, diagnostics_summary

    for line in diagnostics_lines(found, call.console.out_style, call.console.completed):
        call.console.data(line)
    call.console.state(diagnostics_summary(found))
    return code
