"""`rung check`, for CI: print every problem of files and database, and fail if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.cli.exit_codes import ExitCode
from rung.cli.invocation import make_migrator, open_database
from rung.errors import EmptySource

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation


def check(call: Invocation) -> ExitCode:
    """
    Print every version that is not simply applied; the exit code is that of the worst.

    Raises:
        EmptySource: there is nothing to check, as in a wrong folder.
    """
    source = call.settings.need_source()
    with open_database(call) as database:
        found = make_migrator(call, database, source=source).status()
    if not found.lines:
        raise EmptySource(found.source)
    undeclared = call.settings.strict and found.undeclared
    one_way = call.settings.require_downs and found.empty_downs
    code = ExitCode.PENDING if found.problems or undeclared or one_way else ExitCode.DONE
    if found.ledger.dirty:
        code = ExitCode.DIRTY
    elif found.versions("ahead"):
        code = ExitCode.AHEAD
    if call.console.json:
        from rung.render import json_output as shapes

        call.json(shapes.check(found, code))
        return code
    from rung.render.tables import check_notes, check_summary, problem_table

    if found.problems:
        for line in problem_table(found, call.console.out_style):
            call.console.data(line)
    for note in (*found.notes, *check_notes(found)):
        call.console.detail(note)
    call.console.state(check_summary(found, failed=code is ExitCode.PENDING))
    return code
