"""`rung verify`: prove on scratch databases that each migration can be undone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rung.cli.config import EMBEDDED
from rung.cli.exit_codes import ExitCode, StoppedBySignal
from rung.cli.process import LEAVE, Signals, handling
from rung.cli.signals import exit_code_of_signal
from rung.database import Database
from rung.errors import EmptySource, QueryFailed, ScratchFailed, Stopped, UsageError
from rung.execution.admin import check_known
from rung.render.text import count, duration
from rung.render.verify import github_lines, verification, verify_lines, verify_summary
from rung.scratch import scratch_like
from rung.source import read_source
from rung.verify.changed import changed_versions
from rung.verify.model import ProofOutcome, VerifyReport
from rung.verify.run import Budget, verify
from rung.verify.target import read_target

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import FrameType

    from rung.cli.invocation import Invocation
    from rung.source import Migration, MigrationSet
    from rung.verify.target import VerifyTarget

_CODES = {ProofOutcome.REFUTED: ExitCode.REFUTED, ProofOutcome.NOT_PROVED: ExitCode.NOT_PROVED}
_REMEDY = (
    "name a server and a user who may create databases with --scratch, or leave it out to use an "
    "embedded server"
)
_NEXT_LINE = 5.0
"""Seconds between two lines of progress if stderr is not a terminal."""


def verify_command(call: Invocation) -> ExitCode:
    """
    Print the outcome of each migration; the exit code is that of the worst.

    Raises:
        EmptySource: there is nothing to verify, as in a wrong folder.
        MissingMigrationFile: a version that was named has no file.
    """
    source, settings = call.settings.need_source(), call.settings
    migrations = read_source(source)
    if not migrations.migrations:
        raise EmptySource(migrations.source)
    versions = _wanted(call, source, migrations)
    if settings.since is not None and not versions:
        call.console.detail(f"No migration has changed since {settings.since}.")
    report = _verified(call, migrations, versions)
    code = _CODES.get(report.outcome, ExitCode.DONE)
    if call.console.json:
        call.json(verification(report, code))
        return code
    lines = verify_lines(report, call.console.out_style)
    for line in github_lines(report, source) if settings.format == "github" else lines:
        call.console.data(line)
    for note in report.notes:
        call.console.detail(f"{note[0].upper()}{note[1:]}.")
    call.console.say(verify_summary(report))
    return code


def _verified(
    call: Invocation, migrations: MigrationSet, versions: Collection[int]
) -> VerifyReport:
    settings, target = call.settings, _target(call, migrations)
    budget = Budget() if settings.budget is None else Budget(settings.budget)
    progress, signals, notes = _Progress(call), _Signals(_on_signal), [*target.notes]
    began = time.monotonic()
    try:
        # No signal interrupts how databases are created and dropped: it cancels the file that runs.
        with (
            handling(signals.receive),
            scratch_like(
                target.driver, target.context, settings.scratch, progress.say, notes.append
            ) as scratch,
        ):
            proofs = verify(
                scratch,
                migrations,
                versions,
                dialect=target.dialect,
                budget=budget,
                stop=signals.stop,
                tell=progress.tell,
            )
            try:
                found = tuple(proofs)
            finally:
                progress.end()
            rights = scratch.rights or target.rights
            notes += _absent(scratch.absent_extensions)
    except Stopped as stopped:
        raise StoppedBySignal(stopped, exit_code_of_signal(signals.first)) from None
    except ScratchFailed as failed:
        raise QueryFailed(
            f"no scratch database could be created: {failed.cause}", _REMEDY
        ) from None
    return VerifyReport(
        found,
        len(migrations.migrations),
        scratch.where,
        rights,
        tuple(notes),
        time.monotonic() - began,
    )


def _absent(extensions: Collection[str]) -> tuple[str, ...]:
    if not extensions:
        return ()
    names = ", ".join(extensions)
    return (f"scratch lacks {count(len(extensions), 'extension')} of the target: {names}",)


def _wanted(call: Invocation, source: str, migrations: MigrationSet) -> Collection[int]:
    named, since = call.request.versions, call.settings.since
    if named and since is not None:
        raise UsageError("versions and --since cannot be given together", "leave one of them out")
    if since is not None:
        return changed_versions(source, migrations, since)
    for version in named:
        check_known(version, migrations)
    return frozenset(named or migrations.versions)


def _target(call: Invocation, migrations: MigrationSet) -> VerifyTarget:
    settings = call.settings
    is_named = settings.database_file is not None or settings.database is not None
    url = settings.need_database() if is_named else ""
    database = Database(url, settings.role, settings.ledger_table, settings.history_table)
    return read_target(
        database,
        migrations,
        is_known=is_named and url.partition(":")[0] != EMBEDDED,  # that one is not started
        own_server=settings.scratch is None,
        trusts_files=settings.scratch_superuser,
    )


class _Signals(Signals):
    """Cancels the file that runs at the first signal; the third exits at once."""

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        self.stop.set()
        super().receive(number, frame)


def _on_signal(times: int, number: int) -> str:
    del number
    if times < LEAVE:
        return "warning: stopping; the scratch databases are dropped first"
    return "warning: exiting at once; `rung doctor` names what is left on a server of --scratch"


class _Progress:
    """The progress on stderr: one line that is redrawn, or one now and then."""

    def __init__(self, call: Invocation) -> None:
        self._console = call.console
        self._began = self._said = time.monotonic()
        self._open = False

    def say(self, text: str) -> None:
        """Show what takes long."""
        self._console.detail(f"Scratch: {text}.")

    def tell(self, migration: Migration, number: int, total: int) -> None:
        """Report that a check begins, with an estimate of what is left."""
        now = time.monotonic()
        text = f"verifying version {migration.version}, {number} of {count(total, 'migration')}"
        if number > 1:
            left = (now - self._began) / (number - 1) * (total - number + 1)
            text += f", about {duration(left)} left"
        if self._console.quiet:
            return
        if self._console.watched:
            self._console.redraw(text)
            self._open = True
        elif now - self._said >= _NEXT_LINE:
            self._console.say(text)
            self._said = now

    def end(self) -> None:
        """Clear the line that is redrawn."""
        if self._open:
            self._console.redraw("")
        self._open = False
