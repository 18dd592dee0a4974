"""
`rung repair`: diagnose a dirty database, propose a repair, and carry out that one if confirmed.

On a terminal it first asks which statements ran, where the schema cannot tell.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rung.cli.confirm import confirm, needs_confirmation
from rung.cli.exit_codes import ExitCode, StoppedBySignal
from rung.cli.invocation import make_migrator, open_database
from rung.cli.signals import exit_code_of_signal, listening, make_signals
from rung.errors import RepairUndecided, Stopped
from rung.render import json_output as shapes
from rung.render.progress import progress
from rung.render.repair import diagnosis_lines, proposal_lines
from rung.render.text import at
from rung.repair import data_loss_refusal

if TYPE_CHECKING:
    from rung.cli.invocation import Invocation
    from rung.cli.process import Signals
    from rung.execution.outcomes import RunReport
    from rung.migrator import Migrator
    from rung.repair import Diagnosis

_YES = ("y", "yes")


def repair(call: Invocation) -> ExitCode | None:
    """Say what a dirty database holds, and repair it once that is confirmed."""
    source, signals = call.settings.need_source(), make_signals()
    with (
        open_database(call) as database,
        progress(call.console) as listener,
        make_migrator(
            call, database, source=source, listener=listener, stop=signals.stop
        ).on_one_connection() as migrator,
    ):
        ledger = migrator.version()
        found = _diagnosed(call, migrator) if ledger.dirty else None
        if found is None:
            ledger = migrator.version() if ledger.dirty else ledger
            if call.console.json:
                call.json(shapes.clean(ledger))
            call.console.state(f"{ledger}; nothing to repair")
            return None
        if call.console.json:
            return _json(call, migrator, signals, found)
        for line in diagnosis_lines(found, call.console.out_style):
            call.console.data(line)
        if found.action is None:
            raise RepairUndecided(found.reason, found.advice, found.finding.undecided)
        what = f"Repair {migrator.shown}"
        _agree_to_losses(call, found)
        confirm(call, what, tuple(proposal_lines(found.action, call.console.err_style)))
        report = _run(migrator, signals, found)
    call.console.state(f"clean {at(report.version)}; repaired")
    return None


def _agree_to_losses(call: Invocation, found: Diagnosis) -> None:
    """
    Confirm a data loss: by an answer on a terminal, else by `--allow-data-loss`.

    Raises:
        RepairUndecided: it was not confirmed.
    """
    lost = found.action.losses if found.action else ()
    if not lost or call.settings.allow_data_loss:
        return
    if needs_confirmation(call):
        for loss in lost:
            call.console.insist(f"  {loss}")
        question = call.console.err_style.paint("Lose this data?", "bold")
        call.console.insist(f"{question} [y/N] ", end="")
        if sys.stdin.readline().strip().lower() in _YES:
            return
    raise RepairUndecided(*data_loss_refusal(found))


def _json(call: Invocation, migrator: Migrator, signals: Signals, found: Diagnosis) -> ExitCode:
    """Print the diagnosis as JSON; without --yes nothing is repaired."""
    loses_more = bool(found.action and found.action.losses) and not call.settings.allow_data_loss
    acts = found.action is not None and call.settings.yes and not loses_more
    if acts:
        _run(migrator, signals, found)
    call.json(shapes.diagnosis(found, done=acts))
    return ExitCode.DONE if acts else ExitCode.DIRTY


def _diagnosed(call: Invocation, migrator: Migrator) -> Diagnosis | None:
    """Diagnose; where the schema cannot tell which statements ran, ask on a terminal."""
    scratch, done = call.settings.scratch, call.settings.done
    call.console.detail("Running the files on the scratch database.")
    found = migrator.diagnose(scratch, done)
    if found is None or not found.finding.undecided or not needs_confirmation(call):
        return found
    for line in diagnosis_lines(found, call.console.err_style):
        call.console.insist(line)
    done = _ask_how_many(call, found)
    return found if done is None else migrator.diagnose(scratch, done)


def _ask_how_many(call: Invocation, found: Diagnosis) -> int | None:
    """Ask how many statements are done; None if the answer is neither yes nor no."""
    asked = [one for one in found.statements if one.number in found.finding.undecided]
    for one in asked:
        question = f"Did statement {one.number} on line {one.line} run? {one.sql}"
        call.console.insist(f"{call.console.err_style.paint(question, 'bold')} [y/n] ", end="")
        answer = sys.stdin.readline().strip().lower()
        if answer in ("n", "no"):
            return one.number - 1
        if answer not in _YES:
            return None
    return max(asked[-1].number, found.finding.at_least)


def _run(migrator: Migrator, signals: Signals, found: Diagnosis) -> RunReport:
    with listening(signals):
        try:
            return migrator.repair(found, allow_data_loss=True)  # agreed to by now
        except Stopped as error:
            raise StoppedBySignal(error, exit_code_of_signal(signals.first)) from None
