"""
Run each migration up, down and up again on a scratch database, and compare the schemas.

One database is used for as long as every migration restores its schema exactly. Where one does
not, the next begins on a copy of another database that has only seen ups, so that one wrong down
is not blamed on the migrations after it.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from rung.cancellation import CancelToken
from rung.drivers.inspection import Disconnected
from rung.errors import MigrationFailed, RungError, ScratchFailed, Stopped
from rung.errors.base import UNCHANGED
from rung.events import ignore
from rung.execution.command import Target
from rung.execution.run import run_goal
from rung.options import RUNG
from rung.planning.plan import Down, Goto
from rung.repair.cluster_wide import creates_role, is_cluster_wide
from rung.script import Dialect, contents_of, read, redacted_definition
from rung.verify.fix import fix_statements, rename_statements
from rung.verify.model import Fix, MigrationProof, ProofOutcome, SchemaChange, is_equal
from rung.verify.not_compared import not_compared
from rung.verify.reasons import scratch_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from rung.drivers.contract import Session
    from rung.errors import SourceLocation
    from rung.planning.plan import Goal
    from rung.scratch import Scratch
    from rung.snapshot import Snapshot
    from rung.source import Migration, MigrationFile, MigrationSet

_OPTIONS = RUNG._replace(passes_empty=True, wait_for_lock=60.0, lock_retry_for=60.0)


class Budget(NamedTuple):
    """What one file may use on the scratch server."""

    seconds: float = 300.0
    megabytes: int = 4096


class _FileToken(CancelToken):
    """Cancels one file when its budget is over, and every file when all is to end."""

    __slots__ = ("_all",)

    def __init__(self, whole: CancelToken) -> None:
        super().__init__()
        self._all = whole

    @property
    def requested(self) -> bool:
        """Whether no other file is to begin."""
        return super().requested or self._all.requested

    @property
    def cancelling(self) -> bool:
        """Whether the file is to be cancelled now."""
        return super().cancelling or self._all.cancelling


class _Stop(Exception):
    """The scratch database is not at the version that the next migration needs."""

    def __init__(
        self, outcome: ProofOutcome, why: str, place: SourceLocation | None = None
    ) -> None:
        super().__init__(why)
        self.outcome, self.why, self.place = outcome, why, place


def verify(
    scratch: Scratch,
    migrations: MigrationSet,
    versions: Collection[int],
    *,
    dialect: Dialect,
    budget: Budget = Budget(),  # noqa: B008 - a value
    stop: CancelToken | None = None,
    tell: Callable[[Migration, int, int], None] = lambda *_: None,
) -> Iterator[MigrationProof]:
    """
    Yield the outcome of each migration, oldest first.

    What goes wrong with a scratch database is the reason why a migration is not proved, and hides
    no outcome of another one.

    Args:
        scratch: makes the databases.
        migrations: the whole source.
        versions: the versions to check; those below them are only applied.
        dialect: how the databases read SQL.
        budget: what a file may use; one that uses more is not proved.
        stop: cancels the file that runs.
        tell: called before each check with the migration, its number from 1, and the total.

    Raises:
        ScratchFailed: no database could be created, not even the first.
        Stopped: as asked.
    """
    wanted = [one for one in migrations.migrations if one.version in versions]
    stop = stop or CancelToken()
    made = _Verifier(scratch, migrations, dialect, budget, stop)
    with closing(made) as verifier:
        for number, migration in enumerate(wanted, 1):
            tell(migration, number, len(wanted))
            if stop.requested:
                raise Stopped((), UNCHANGED, ())
            if verifier.blocked:
                yield MigrationProof(migration, ProofOutcome.NOT_PROVED, verifier.blocked)
                continue
            try:
                yield verifier.check(migration)
            except _Stop as end:
                yield MigrationProof(migration, end.outcome, end.why, place=end.place)
            except (RungError, Disconnected) as error:
                if stop.requested:
                    raise Stopped((), UNCHANGED, ()) from None
                if not verifier.has_worked and isinstance(error, ScratchFailed):
                    raise
                why = f"the scratch database could not be used: {_cause(error)}"
                yield MigrationProof(migration, ProofOutcome.NOT_PROVED, why)


@dataclass(slots=True)
class _Verifier:
    scratch: Scratch
    migrations: MigrationSet
    dialect: Dialect
    budget: Budget
    stop: CancelToken
    has_worked: bool = False
    """Whether a scratch database could be used."""
    blocked: str = ""
    """Why no later migration can be checked; empty where they can."""
    _work: str | None = None
    """The database that migrations are checked on; None where it must be made again."""
    _work_at: int | None = None
    _spoilt: str | None = None
    """The last work database, to be dropped where it cannot be used again."""
    _trunk: str | None = None
    """A database that has seen ups only."""
    _trunk_at: int | None = None
    _schema: Snapshot | None = None
    """That of the work database, where it is known."""
    _targets: dict[str, tuple[Target, ExitStack]] = field(default_factory=dict)
    """The databases that are open, each with one connection, and what closes it."""

    def check(self, migration: Migration) -> MigrationProof:
        """Run one migration up, down and up again."""
        if migration.up is None:
            return MigrationProof(migration, ProofOutcome.NOT_PROVED, "it has no up file")
        work = self._at_version_before(migration)
        before = self._schema or self._snapshot(work)
        self._work, self._schema = None, None
        self._run_up(work, migration)
        applied = self._snapshot(work)
        self._keep(work, migration, applied)
        if reason := self._declared_irreversible(migration):
            return MigrationProof(migration, ProofOutcome.IRREVERSIBLE, reason)
        if migration.down is None:
            return MigrationProof(migration, ProofOutcome.NOT_PROVED, "it has no down file")
        self._work, self._schema = None, None
        self._run(work, migration.down, Down(1), "the down")
        change = SchemaChange.between(before, self._snapshot(work))
        try:
            proof = self._checked_again(work, migration, change, before, applied)
        except (RungError, Disconnected) as error:
            if not change or self.stop.requested:
                raise
            return MigrationProof(migration, ProofOutcome.REFUTED, _cause(error), change)
        texts = (migration.up.text, migration.down.text)
        return replace(proof, not_compared=not_compared(texts, self.dialect))

    def _checked_again(
        self,
        work: str,
        migration: Migration,
        change: SchemaChange,
        before: Snapshot,
        applied: Snapshot,
    ) -> MigrationProof:
        """Run the up a second time, after a down that left a change."""
        assert migration.down is not None
        fix = self._proved_fix(work, migration.down, change, before) if change else None
        try:
            self._run(work, migration.up, Goto(migration.version), "the second up")
        except _Stop as stop:
            outcome = ProofOutcome.REFUTED if change else stop.outcome
            return MigrationProof(migration, outcome, stop.why, change, fix=fix, place=stop.place)
        again = self._snapshot(work)
        if not change and is_equal(applied, again):
            self._keep(work, migration, again)
            return MigrationProof(migration, ProofOutcome.PROVED)
        other = SchemaChange.between(applied, again)
        return MigrationProof(migration, ProofOutcome.REFUTED, "", change, other, fix)

    # --- the databases -------------------------------------------------------------------

    def _at_version_before(self, migration: Migration) -> str:
        """
        Return a database at the version before a migration, without traces of other downs.

        Raises:
            _Stop: an earlier version does not run, or not a second time.
        """
        earlier = (one for one in reversed(self.migrations.migrations) if one.up is not None)
        target = next((one for one in earlier if one.version < migration.version), None)
        if self._work is None and self._spoilt is not None:
            self._drop(self._spoilt)
            self._work = self._copy_of_trunk(target)
        elif self._work is None:
            self._work = self.scratch.new()
            self._advance(self._work, None, target)
        else:
            self._advance(self._work, self._work_at, target)
        if target is None or self._work_at != target.version:
            self._schema = None
        self._spoilt = self._work
        return self._work

    def _copy_of_trunk(self, target: Migration | None) -> str:
        """Return a copy of a database that has seen ups only, at a version."""
        if statement := self._cluster_wide(target):
            # It cannot run a second time on one server before its traces are removed.
            self.close()
            if not self.scratch.start_over():
                raise self._stop(f"the scratch server is shared, and {statement}")
            self._trunk = None
            name = self.scratch.new()
            self._advance(name, None, target)
            return name
        if self._trunk is None:
            self._trunk, self._trunk_at = self.scratch.new(), None
        self._advance(self._trunk, self._trunk_at, target)
        self._trunk_at = target.version if target else None
        return self._copy(self._trunk)

    def _advance(self, name: str, at: int | None, target: Migration | None) -> None:
        if target is None or at == target.version:
            return
        try:
            self._run(name, target.up, Goto(target.version), "an earlier migration")
        except _Stop as stop:
            raise self._stop(stop.why) from None

    def _stop(self, why: str) -> _Stop:
        self.blocked = why
        return _Stop(ProofOutcome.NOT_PROVED, why)

    def _keep(self, work: str, migration: Migration, schema: Snapshot) -> None:
        self._work, self._work_at, self._schema = work, migration.version, schema

    def _cluster_wide(self, target: Migration | None) -> str:
        """Say which statement up to a migration concerns the whole server, where one does."""
        if target is None or self.dialect is Dialect.SQLITE:
            return ""
        earlier = (one for one in self.migrations.migrations if one.version <= target.version)
        for file in filter(None, (one.up for one in earlier)):
            for statement in read(file.text, self.dialect).statements:
                if creates_role(statement) or is_cluster_wide(statement):
                    words = " ".join(statement.words[:2])
                    return f"{words} in {file.file} concerns the whole server"
        return ""

    # --- running and reading -------------------------------------------------------------

    def _run_up(self, work: str, migration: Migration) -> None:
        try:
            self._run(work, migration.up, Goto(migration.version), "the up")
        except _Stop as stop:
            self.blocked = f"version {migration.version} could not be applied"
            raise stop from None

    def _run(self, name: str, file: MigrationFile | None, goal: Goal, what: str) -> None:
        """
        Run a goal as every run of Rung does, and put the session back to what it was at connect.

        Raises:
            _Stop: it failed: refuted, or not proved where scratch is why.
        """
        target, most = self._target(name), (self.budget.seconds, self.budget.megabytes)
        with self.scratch.limited(name, *most, target.stop) as limit:
            try:
                run_goal(target, self.migrations, goal)
            except RungError as error:
                raise self._judged(error, file, what, limit.reason) from None
        if limit.reason:
            raise _Stop(ProofOutcome.NOT_PROVED, f"{what} {limit.reason}")
        with target.connected() as session:
            session.reset()

    def _judged(self, error: RungError, file: MigrationFile | None, what: str, limit: str) -> _Stop:
        if self.stop.requested:
            raise error
        if limit:
            return _Stop(ProofOutcome.NOT_PROVED, f"{what} {limit}")
        said = _cause(error)
        reason = scratch_reason(error, file, self.dialect, self.scratch.absent_extensions)
        if reason:
            return _Stop(ProofOutcome.NOT_PROVED, f"{reason}: {said}", error.where)
        return _Stop(ProofOutcome.REFUTED, f"{what} fails: {said}", error.where)

    def _snapshot(self, name: str) -> Snapshot:
        with self._target(name).connected() as session:
            return session.snapshot()

    def _target(self, name: str) -> Target:
        """Return a database as a target; all that is asked of it shares one connection."""
        if name not in self._targets:
            target = Target(self.scratch.driver_of(name), ignore, _FileToken(self.stop), _OPTIONS)
            stack = ExitStack()
            self._targets[name] = (stack.enter_context(target.on_one_connection()), stack)
            self.has_worked = True
        return self._targets[name][0]

    def _copy(self, name: str) -> str:
        """Copy a database; a template must have no connection."""
        self._close(name)
        return self.scratch.copy(name)

    def _drop(self, name: str) -> None:
        self._close(name)
        self.scratch.drop(name)

    def _close(self, name: str) -> None:
        if found := self._targets.pop(name, None):
            found[1].close()

    def close(self) -> None:
        """Close every connection; one that is lost needs no closing."""
        for name in tuple(self._targets):
            with suppress(RungError, Disconnected):
                self._close(name)

    def _declared_irreversible(self, migration: Migration) -> str:
        texts = [half.text for half in (migration.down, migration.up) if half is not None]
        found = (contents_of(text, self.dialect).irreversible for text in texts)
        return next(filter(None, found), "")

    def _proved_fix(
        self, work: str, down: MigrationFile, change: SchemaChange, before: Snapshot
    ) -> Fix | None:
        """Return statements that repair a down, if they do on a copy of the database."""
        renames, statements = rename_statements(change), fix_statements(change)
        if not renames and not statements:
            return None
        name = self._copy(work)
        try:
            with self._target(name).connected() as session:
                done = _run_each(session, renames, self.dialect)
            if done:  # indexes and constraints follow their columns: see what still differs
                statements = fix_statements(SchemaChange.between(before, self._snapshot(name)))
            with self._target(name).connected() as session:
                done += _run_each(session, statements or (), self.dialect)
            after_fix = SchemaChange.between(before, self._snapshot(name))
        finally:
            self._drop(name)
        if not done or after_fix.but_for_order:
            return None
        sql = _joint(down, self.dialect) + "".join(f"{one};\n" for one in done)
        return Fix(sql) if redacted_definition(sql) == sql else None  # what holds a secret


def _run_each(session: Session, statements: Collection[str], dialect: Dialect) -> tuple[str, ...]:
    """
    Run statements, and those that fail once more after the others: they may depend on each other.

    Returns:
        Those that succeeded, in this order. What the others were for may be done: an index is
        created with its constraint, and a partition is dropped with its table.
    """
    done: list[str] = []
    rest = list(statements)
    while rest:
        failed = [one for one in rest if session.run_unrecorded(read(one, dialect), 1, 1).failure]
        done += [one for one in rest if one not in failed]
        if len(failed) == len(rest):
            break
        rest = failed
    return tuple(done)


def _joint(file: MigrationFile, dialect: Dialect) -> str:
    """Return what must stand between a file's text and statements that are appended to it."""
    script = read(file.text, dialect)
    end = script.statements[-1].end if script.statements else len(script.text)
    after = script.tokens[script.tokens.at(end) :]
    is_open = bool(script.statements) and not any(script.text[one.start] == ";" for one in after)
    line_end = "" if not file.text or file.text.endswith("\n") else "\n"
    return f"{line_end};\n" if is_open else line_end


def _cause(error: RungError | Disconnected) -> str:
    """Say on one line what failed, with its place in the file where it has one."""
    if isinstance(error, Disconnected):
        return f"the connection was lost: {error.reason}"
    if not isinstance(error, MigrationFailed):
        return error.cause.splitlines()[0]
    return f"{error.place.file}:{error.place.line}: {error.server}"
