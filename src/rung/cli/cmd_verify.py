"""`rung verify`: prove on scratch databases that each migration can be undone."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from rung.cli.exit_codes import ExitCode, StoppedBySignal
from rung.cli.process import LEAVE, Signals, handling
from rung.cli.signals import exit_code_of_signal
from rung.database import Database
from rung.drivers import open_driver
from rung.drivers.inspection import ServerContext
from rung.errors import EmptySource, QueryFailed, ScratchFailed, Stopped, UsageError
from rung.execution.admin import check_known
from rung.render.text import count, duration
from rung.render.verify import github_lines, verification, verify_lines, verify_summary
from rung.repair.cluster_wide import creates_extension
from rung.scratch import scratch_like
from rung.script import Dialect, read
from rung.source import read_source
from rung.verify.changed import changed_versions
from rung.verify.model import ProofOutcome, VerifyReport
from rung.verify.named_roles import roles_not_created
from rung.verify.run import Budget, verify
from rung.verify.used_extensions import extensions_not_created

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import FrameType

    from rung.cli.invocation import Invocation
    from rung.drivers.contract import Driver
    from rung.source import Migration, MigrationSet

_UNKNOWN = ServerContext("rung_owner", makes_roles=True)
"""The owner of a database who may create roles, where the target is not known."""
_CODES = {ProofOutcome.REFUTED: ExitCode.REFUTED, ProofOutcome.NOT_PROVED: ExitCode.NOT_PROVED}
_MOST_ROLES = 10
"""Roles that a note lists."""
_REMEDY = (
    "name a server and a user who may create databases with --scratch, or leave it out to use an "
    "embedded server"
)
_NEXT_LINE = 5.0
"""Seconds between two lines of progress if stderr is not a terminal."""


def verify_command(call: Invocation) -> ExitCode:
    """
    Print the outcome on each migration; the exit code is that of the worst.

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
        call.console.detail(note)
    call.console.say(verify_summary(report))
    return code


def _verified(
    call: Invocation, migrations: MigrationSet, versions: Collection[int]
) -> VerifyReport:
    settings = call.settings
    driver, context, dialect, notes = _target(call, migrations)
    if context is not None:
        context = replace(context, trusts_files=settings.scratch_superuser)
    if context is not None and settings.scratch is None:
        context, made = _with_absent_roles(context, migrations)
        notes += made
    budget = Budget() if settings.budget is None else Budget(settings.budget)
    progress, signals = _Progress(call), _Signals(_on_signal)
    began = time.monotonic()
    try:
        # No signal interrupts how databases are created and dropped: it cancels the file that runs.
        with (
            handling(signals.receive),
            scratch_like(driver, context, settings.scratch, progress.note) as scratch,
        ):
            proofs = verify(
                scratch,
                migrations,
                versions,
                dialect=dialect,
                budget=budget,
                stop=signals.stop,
                tell=progress.tell,
            )
            try:
                found = tuple(proofs)
            finally:
                progress.end()
            rights = scratch.rights or _role(context)
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
        (*notes, *progress.notes),
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


def _target(
    call: Invocation, migrations: MigrationSet
) -> tuple[Driver, ServerContext | None, Dialect, tuple[str, ...]]:
    """Read the facts about the target's server: rights, settings, extensions."""
    named = call.settings.database
    if call.settings.database_file is not None:
        named = call.settings.need_database()
    if named is None or named.partition(":")[0] == "embedded":
        driver = open_driver(_database(call, "postgresql:///"))
        may = "" if call.settings.scratch else ", who may create roles"
        note = f"no target database was named: the files ran as the owner of the database{may}"
        used = () if call.settings.scratch else extensions_not_created(migrations)
        context = replace(_UNKNOWN, extensions=tuple((one, "public") for one in used))
        made = f"extensions that files use and do not create exist on scratch: {', '.join(used)}"
        notes = (*[note] * (named is None), *[made] * bool(used))
        return driver, context, Dialect.POSTGRES, notes
    driver = open_driver(_database(call, named))
    with driver.read() as reader:
        dialect = reader.locate().dialect
        if dialect is Dialect.SQLITE:
            return driver, None, dialect, ()
        context = reader.server_context()
    created = _created_extensions(migrations)
    kept = tuple(one for one in context.extensions if one[0] not in created)
    note = (
        f"the target's role {context.user} may leave its database (a superuser, or a role that "
        "runs programs or reads files); on scratch it may not"
    )
    notes = (note,) if context.leaves_database else ()
    return driver, replace(context, extensions=kept), dialect, notes


def _with_absent_roles(
    context: ServerContext, migrations: MigrationSet
) -> tuple[ServerContext, tuple[str, ...]]:
    """Add the roles that files name and nobody creates, with a note that lists them."""
    there = {*context.roles, context.user}
    absent = tuple(one for one in roles_not_created(migrations) if one not in there)
    if not absent:
        return context, ()
    names = ", ".join(absent[:_MOST_ROLES])
    more = f" and {len(absent) - _MOST_ROLES} more" if len(absent) > _MOST_ROLES else ""
    note = (
        "roles that files name and do not create exist on scratch, without login, and may create "
        f"in schema public: {names}{more}"
    )
    return replace(context, absent_roles=absent), (note,)


def _created_extensions(migrations: MigrationSet) -> frozenset[str]:
    """Return the extensions that files create: a superuser must not create them before."""
    return frozenset(
        word.strip('"').lower()
        for one in migrations.migrations
        if one.up is not None and "extension" in one.up.text.lower()
        for script in [read(one.up.text)]
        for statement in script.statements
        if creates_extension(statement)
        for word in script.text[statement.start : statement.end].replace(";", " ").split()
    )


def _database(call: Invocation, url: str) -> Database:
    settings = call.settings
    return Database(url, settings.role, settings.ledger_table, settings.history_table)


def _role(context: ServerContext | None) -> str:
    if context is None:
        return ""
    if context.trusts_files:
        return "rights of a superuser"
    is_known = context.user != _UNKNOWN.user
    return f"rights of the target's role {context.user}" if is_known else "rights of an owner"


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
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """Keep what differs on scratch, and show what takes long."""
        self.notes.append(text) if "instead" in text else self._console.detail(f"Scratch: {text}.")

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
