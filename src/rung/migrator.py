"""
The one place where the parts are put together: files, database, plan, lock, runner.

A `Migrator` names a database and a source and holds no connection: each call connects, does
its work and disconnects, so it may be used from several threads. It prints nothing, sets up
no logging and installs no signal handler.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.drivers import open_driver
from rung.drivers.base import Attempt, Disconnected
from rung.errors import (
    ConnectionFailed,
    DirtyLedger,
    PlanChanged,
    PlanError,
    ReadOnlyDatabase,
    VersionNotInSource,
)
from rung.events import Warned, ignore
from rung.ledger import Outcome
from rung.locks import Patience, held
from rung.losses import losses
from rung.migrations import read_source
from rung.plan import Down, Goto, Up, make_plan
from rung.runner import Context, Recorder, RunReport, prepare, run_plan
from rung.status import make_status
from rung.stopping import Stop

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from rung.drivers.base import Look, Place, Session
    from rung.events import Listener
    from rung.ledger import HistoryEntry, LedgerState
    from rung.losses import Loss
    from rung.migrations import MigrationSet
    from rung.plan import Goal, Plan
    from rung.runner import Prepared
    from rung.status import Status


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan with its SQL read, and what it would take away; nothing was touched."""

    plan: Plan
    prepared: tuple[Prepared, ...]
    losses: tuple[Loss, ...] = ()


class Migrator:
    """
    Migrates one database from one source.

    Args:
        database: a URL, or a libpq keyword string.
        source: a folder, or `package:NAME`.
        listener: told of every `rung.events` record, in the thread that runs.
        stop: ends a run after the current migration when set, cancels when set twice.
        wait_for_lock: seconds to wait for another run; None waits as long as it lives.
    """

    def __init__(
        self,
        database: str,
        source: str | os.PathLike[str],
        *,
        listener: Listener = ignore,
        stop: Stop | None = None,
        wait_for_lock: float | None = None,
    ) -> None:
        self._driver = open_driver(database)
        self._source = source
        self._listener = listener
        self._stop = stop or Stop()
        self._patience = Patience(wait_for_lock)

    # --- reading -------------------------------------------------------------------------

    def version(self) -> LedgerState:
        """The ledger as it stands. Reads only, and needs no source."""
        return self._look().ledger

    def status(self) -> Status:
        """Every migration with its state. Reads only."""
        return make_status(self._read(), self._look())

    def history(self) -> tuple[HistoryEntry, ...]:
        """Every attempt ever recorded, oldest first. Reads only, and needs no source."""
        return self._look().history or ()

    def plan(self, goal: Goal | None = None) -> Preview:
        """
        What a goal would run, with what it would take away. Reads only.

        Args:
            goal: `Up()` where it is left out.

        Raises:
            PlanError, SourceError, ScriptError: as the run itself would.
        """
        migrations = self._read()
        with self._connected() as session:
            look = session.look()
            plan = _plan(goal or Up(), migrations, look)
            prepared = _prepare(plan, look)
            gone = tuple(loss for item in prepared for loss in losses(item.script))
            return Preview(plan, prepared, session.estimate(gone))

    def everything(self) -> tuple[Loss, ...]:
        """All objects that `drop` would remove. Reads only."""
        with self._connected() as session:
            session.locate()
            return session.everything()

    # --- running -------------------------------------------------------------------------

    def up(self, limit: int | None = None) -> RunReport:
        """Apply what is pending, oldest first; `limit` of it at the most."""
        return self.run(Up(limit))

    def down(self, limit: int | None = 1) -> RunReport:
        """Go down `limit` steps at the most, newest first; None goes all the way."""
        return self.run(Down(limit))

    def goto(self, version: int) -> RunReport:
        """Go up or down to exactly this version."""
        return self.run(Goto(version))

    def run(self, goal: Goal, *, expected: Plan | None = None) -> RunReport:
        """
        Carry a goal out.

        A look without the lock may find that there is nothing to do; anything else is
        looked at again under the lock before it is acted on or reported.

        Args:
            goal: where to go.
            expected: refuse to run anything but this plan, which somebody was shown.

        Raises:
            RungError: see `rung.errors`; a RunError carries how far the run got.
        """
        migrations = self._read()
        with self._connected() as session:
            idle = self._idle(goal, migrations, session.look())
            return idle or self._run_locked(goal, migrations, session, expected)

    def force(self, version: int | None, *, even_without_file: bool = False) -> None:
        """
        Record that the database is at a version, clean, whatever the ledger says.

        Runs no migration. None records that it is before the first.

        Raises:
            VersionNotInSource: no file has that version and `even_without_file` is not set.
        """
        if version is not None and not even_without_file:
            migrations = self._read()
            if version not in migrations.by_version:
                raise VersionNotInSource(version, "target", migrations.versions)
        with self._writing() as session:
            session.ensure_tables()
            session.force(version, _note(version, "force"))

    def drop(self) -> tuple[Loss, ...]:
        """Remove everything in the ledger's schema that no extension owns; returns what went."""
        with self._writing() as session:
            gone = session.everything()
            session.drop_everything()
            return gone

    # --- inside --------------------------------------------------------------------------

    def _read(self) -> MigrationSet:
        migrations = read_source(self._source)
        for warning in migrations.warnings:
            self._listener(Warned(warning))
        return migrations

    @contextmanager
    def _connected(self) -> Iterator[Session]:
        try:
            with self._driver.connect(self._stop) as session:
                yield session
        except Disconnected as lost:
            raise ConnectionFailed(
                f"The connection to {self._driver.shown} was lost: {lost.reason}",
                "See rung status when the server answers again.",
            ) from None

    def _look(self) -> Look:
        with self._connected() as session:
            return session.look()

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """A session that holds the lock, for what has no plan."""
        with self._connected() as session:
            place = session.locate()
            self._check_writable(place)
            with held(session, self._patience, self._listener, self._stop, lambda: False):
                yield session

    def _check_writable(self, place: Place) -> None:
        if place.read_only:
            raise ReadOnlyDatabase(
                f"{self._driver.shown} takes no writes: it is a standby or a read-only session.",
                "Connect to the primary, with a role and settings that may write.",
            )

    def _idle(self, goal: Goal, migrations: MigrationSet, look: Look) -> RunReport | None:
        """The report of a run with nothing to do; None where there may be something."""
        try:
            plan = make_plan(goal, migrations, look.ledger)
        except PlanError:
            return None
        if plan.steps or not look.ledger_exists:
            return None
        return RunReport((), look.ledger.version, plan.short)

    def _run_locked(
        self, goal: Goal, migrations: MigrationSet, session: Session, expected: Plan | None
    ) -> RunReport:
        idle: list[RunReport] = []

        def nothing_left() -> bool:
            idle.extend(filter(None, [self._idle(goal, migrations, session.look())]))
            return bool(idle)

        with held(session, self._patience, self._listener, self._stop, nothing_left) as won:
            if not won:
                return idle[0]
            look = session.look()
            plan = _plan(goal, migrations, look)
            if not plan.steps:
                return RunReport((), look.ledger.version, plan.short)
            if expected is not None and plan != expected:
                raise PlanChanged
            self._check_writable(look.place)
            prepared = _prepare(plan, look)
            if not look.ledger_exists or look.history is None:
                session.ensure_tables()
            return run_plan(self._context(session, look), plan, prepared)

    def _context(self, session: Session, look: Look) -> Context:
        plain = look.place.plain_backslashes
        return Context(
            driver=self._driver,
            session=session,
            listener=self._listener,
            stop=self._stop,
            patience=self._patience,
            recorder=Recorder.of(look.history or (), plain_backslashes=plain),
        )


def _plan(goal: Goal, migrations: MigrationSet, look: Look) -> Plan:
    try:
        return make_plan(goal, migrations, look.ledger)
    except DirtyLedger as dirty:
        raise DirtyLedger(dirty.version, _unfinished(look)) from None


def _unfinished(look: Look) -> str:
    """What the history knows of the attempt that left the ledger dirty."""
    last = look.history[-1] if look.history else None
    if last is None or last.outcome is Outcome.DONE:
        return ""
    place = f"{last.statements_done} of {last.statements_total} statements are committed"
    flight = f"; statement {last.in_flight} was under way" if last.in_flight else ""
    error = f"; {last.error}" if last.error else ""
    return (
        f"The history says: {last.direction} of version {last.version} ({last.name}) began "
        f"{last.started:%Y-%m-%d %H:%M:%S %Z} on {last.host}; {place}{flight}{error}."
    )


def _note(version: int | None, direction: str) -> Attempt:
    """The history row of what is no migration."""
    return Attempt(str(uuid.uuid4()), version, "", direction, None, None, None, None, 0)


def _prepare(plan: Plan, look: Look) -> tuple[Prepared, ...]:
    return prepare(plan, plain_backslashes=look.place.plain_backslashes)
