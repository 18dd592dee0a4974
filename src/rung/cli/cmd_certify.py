"""
`rung certify`: run the migrations under faults, on databases of its own.

It takes minutes, so its progress is printed on stderr.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rung.cli.exit_codes import ExitCode
from rung.render.text import count

if TYPE_CHECKING:
    from rung.certify.results import FaultResult
    from rung.cli.invocation import Invocation
    from rung.render.terminal import Console

_EVERY = 25
"""Faults between two lines of progress if stderr is not a terminal."""


def certify(call: Invocation) -> ExitCode:
    """Certify a source; the exit code says whether there were violations."""
    from rung.certify import certify as run
    from rung.render import json_output as shapes
    from rung.render.certificate import certificate_lines, certificate_summary

    source = call.settings.need_source()
    console, settings = call.console, call.settings
    progress = Progress(console)
    try:
        found = run(
            {_name(source): source},
            settings.faults,
            settings.seed,
            say=console.say,
            tell=progress.tell,
        )
    finally:
        progress.end()
    code = ExitCode.VIOLATIONS if found.findings else ExitCode.DONE
    if console.json:
        call.json(shapes.certificate(found, code))
    else:
        for line in certificate_lines(found, console.out_style):
            console.data(line)
    for missing in found.left_out:
        console.detail(missing)
    console.detail(certificate_summary(found))
    return code


class Progress:
    """The progress of a certification on stderr: one line that is redrawn, or one now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._violations = 0
        self._open = False

    def tell(self, trial: FaultResult, number: int, total: int) -> None:
        """Report one more fault."""
        self._violations += len(trial.violations)
        text = f"{number} of {total} faults, {count(self._violations, 'violation')}"
        if self._console.quiet:
            return
        if self._console.watched:
            self._console.redraw(text)
            self._open = True
        elif number % _EVERY == 0 or number == total:
            self._console.say(text)

    def end(self) -> None:
        """Leave the line that is redrawn."""
        if self._open:
            self._console.insist("")
        self._open = False


def _name(source: str) -> str:
    """Return the name of a source in the report: its last folder."""
    return source if source.startswith("package:") else Path(source).resolve().name
