"""
Database state: one inspection compared with the files, on which every decision is made.

Reads only. Owns what is applied, edited and missing in the history, whether a database that is
ahead is compatible with the files, and where an interrupted file resumes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rung.drivers.inspection import History
from rung.errors import CannotResume, ScriptError
from rung.execution.stored_downs import why_unseen
from rung.planning.edits import edits, is_proven, renamed, uncompared
from rung.planning.history_replay import Applied, AppliedFile, reconcile, replay
from rung.planning.plan import make_plan
from rung.planning.resume import (
    interrupted_attempt,
    refused,
    resume_point,
    rolls_back,
    unfinished,
    was_rejected,
)
from rung.script import (
    Dialect,
    RerunSafety,
    calls_in,
    calls_of,
    dropped_before,
    in_session,
    redacted_sql,
    rerun_rule_of,
    session_before,
    suits,
)
from rung.source import Direction, Migration, MigrationFile, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection
    from rung.drivers.transaction import StoredSql
    from rung.ledger import Attempt
    from rung.planning.down_choice import DownChoice
    from rung.planning.edits import Edit, Renamed
    from rung.planning.plan import Goal, Plan
    from rung.planning.resume import InterruptedAttempt, ResumePoint
    from rung.script import Calls, Script


@dataclass(frozen=True)
class DatabaseState:
    """The files, one inspection, and what is applied by both."""

    migrations: MigrationSet
    inspection: Inspection
    applied: Applied
    is_compatible: bool = False
    """Whether the database is ahead, and by its history suits a build of these files."""

    @cached_property
    def edits(self) -> tuple[Edit, ...]:
        """The files that were edited since they were applied."""
        return edits(self.applied, self.migrations, self.inspection.place.dialect)

    @property
    def edited_ups(self) -> tuple[Edit, ...]:
        """Those of them that have run."""
        return tuple(edit for edit in self.edits if edit.direction is Direction.UP)

    @property
    def edited_downs(self) -> tuple[int, ...]:
        """The versions of which only the down was edited."""
        ups = {edit.version for edit in self.edited_ups}
        return tuple(edit.version for edit in self.edits if edit.version not in ups)

    @property
    def owes_baseline(self) -> bool:
        """Whether the history lags behind the ledger, and may be written."""
        place, at = self.inspection.place, self.inspection.ledger
        may = self.inspection.writable and not self.inspection.missing_grant
        if not self.applied.unrecorded or at.dirty or not may:
            return False
        has_file = at.version is None or at.version in self.migrations.by_version
        return has_file and not place.read_only

    @cached_property
    def renamed(self) -> tuple[Renamed, ...]:
        """The files that have another title than what was applied, and the same text."""
        return renamed(self.applied, self.migrations, self.inspection.place.dialect)

    @property
    def uncompared(self) -> tuple[int, ...]:
        """The versions whose files can be called neither edited nor unedited."""
        return uncompared(self.applied, self.migrations)

    def plan(
        self,
        goal: Goal,
        resume_point: ResumePoint | None = None,
        downs: Mapping[int, DownChoice] | None = None,
        *,
        passes_empty: bool = False,
    ) -> Plan:
        """Plan the way to a goal; raise what `rung.planning.plan.make_plan` raises."""
        return make_plan(
            goal,
            self.migrations,
            self.inspection.ledger,
            self.applied,
            self.inspection.place.dialect,
            resume_point,
            is_compatible=self.is_compatible,
            downs=downs,
            passes_empty=passes_empty,
        )


def read_state(
    session: Session, migrations: MigrationSet, *, briefly: bool = False
) -> DatabaseState:
    """
    Inspect the database once, and compare it with the files.

    The version that a dirty ledger names is not applied unless the history says so.
    """
    read = History.CURRENT if briefly else History.ALL
    inspection = session.inspect(briefly=briefly, history=read)
    ledger, history, dialect = inspection.ledger, inspection.history, inspection.place.dialect
    if ledger.dirty and history is not None:
        applied = Applied(replay(history)).lone_downs(migrations, ledger)
        return DatabaseState(migrations, inspection, applied)
    applied = reconcile(history, ledger, migrations, dialect)
    return DatabaseState(
        migrations, inspection, applied, _is_compatible(applied, migrations, session, dialect)
    )


def _is_compatible(
    applied: Applied, migrations: MigrationSet, session: Session, dialect: Dialect
) -> bool:
    """Read what is stored of the versions above every file; nothing where there are none."""
    newest = max(migrations.versions, default=None)
    above = [one for one in applied.versions.values() if newest is None or one.version > newest]
    if newest is None or not above or any(one.up is None for one in above):
        return False
    stored = session.stored_sql([one.version for one in above])
    texts = [
        stored_text(stored, one.version, Direction.UP, one.up.checksum)
        for one in above
        if one.up is not None
    ]
    return suits(newest, texts, dialect)


def with_stored_sql(
    migrations: MigrationSet,
    history: Sequence[Attempt],
    session: Session,
    inspection: Inspection,
    warn: Callable[[str], None],
) -> MigrationSet:
    """
    Return the migrations as they ran, as far as the history has them.

    The stored text replaces a file that was edited since, unless a secret was redacted in it, or
    others could have written it: such a text runs nowhere unread.

    Args:
        migrations: the files.
        history: every row, oldest first.
        session: read for the stored texts.
        inspection: the dialect, and who else may write the history.
        warn: called for a stored text that is left out where the file is missing too.
    """
    newest = {
        row.version: row
        for row in history
        if row.version is not None and (row.up_checksum or row.down_checksum)
    }
    stored = session.stored_sql(sorted(newest))
    found = dict(migrations.by_version)
    for version, row in newest.items():
        before = found.get(version)
        up, down = (
            _file_as_applied(
                before.half(direction) if before else None, row, direction, stored, inspection, warn
            )
            for direction in (Direction.UP, Direction.DOWN)
        )
        found[version] = Migration(version, up, down)
    kept = sorted((m for m in found.values() if m.up or m.down), key=lambda one: one.version)
    return MigrationSet(migrations.source, tuple(kept), migrations.warnings)


def _file_as_applied(
    file: MigrationFile | None,
    row: Attempt,
    direction: Direction,
    stored: Sequence[StoredSql],
    inspection: Inspection,
    warn: Callable[[str], None],
) -> MigrationFile | None:
    is_up, dialect = direction is Direction.UP, inspection.place.dialect
    checksum = row.up_checksum if is_up else row.down_checksum
    digest = row.up_digest if is_up else row.down_digest
    wanted = (row.version, direction.value, checksum)
    texts = [one for one in stored if (one.version, one.direction, one.checksum) == wanted]
    recorded = AppliedFile(checksum, row.checksum_formula, digest)
    if not (checksum and texts) or not is_proven(texts[-1].sql, recorded, dialect):
        return file
    if file is not None and is_proven(file.text, recorded, dialect):
        return file
    name = f"{row.version}_{row.name}.{direction.value}.sql (as stored)"
    if why := why_unseen(min(texts[-1].id, row.id), inspection.other_writers):
        if file is None:
            warn(f"{name} is not run on the scratch database. {why}")
        return file
    return MigrationFile(name, row.name, texts[-1].sql)


def stored_text(
    stored: Sequence[StoredSql], version: int, direction: Direction, checksum: str | None
) -> str | None:
    """Return the newest stored text of a file with a checksum; None where there is none."""
    wanted = (version, direction.value, checksum)
    texts = [one.sql for one in stored if (one.version, one.direction, one.checksum) == wanted]
    return texts[-1] if texts else None


def unseen_settings(script: Script, done: int, session: Session) -> str:
    """
    Say why replaying SET may not restore the session of a file; empty where it does.

    Args:
        script: the file's, as it ran.
        done: how many of its statements are committed.
        session: read for the code of functions.
    """
    if script.dialect is Dialect.SQLITE:
        return ""
    dropped, clean = dropped_before(script, done), set[str]()
    for one in in_session(script, done):
        calls = calls_in(script, one)
        if calls.names & dropped or _may_set(calls, session, clean):
            return (
                f"statement {one.number} on line {one.line} runs code that may have changed its "
                "session (search_path, session_replication_role, …), and that change is gone"
            )
    return ""


def _may_set(calls: Calls, session: Session, clean: set[str]) -> bool:
    """Whether code may change the session; add the names that do not to `clean`."""
    sets, seen, left = calls.sets, frozenset[str](), calls.names - clean
    while left and not sets:
        seen |= left
        functions = session.capabilities.functions
        codes = functions.code_of(left) if functions else ()
        found = [code and calls_of(code) for code in codes]
        sets = any(not one or one.sets for one in found)
        left = frozenset().union(*(one.names for one in found if one)) - seen - clean
    if not sets:
        clean |= seen
    return sets


_MAY_COMMIT = (("CALL",), ("DO",))


def find_interrupted(inspection: Inspection, session: Session) -> Attempt | None:
    """Find the attempt that left the ledger dirty; None where another tool wrote it since."""
    entry = unfinished(inspection.history, inspection.ledger)
    return None if entry is None or is_overwritten(session, entry) else entry


def is_overwritten(session: Session, entry: Attempt) -> bool:
    """Check whether another tool wrote the ledger after a row of the history, where it shows."""
    provenance = session.capabilities.provenance
    return provenance is not None and provenance.ledger_changed_since(entry)


def find_resume_point(
    state: DatabaseState,
    session: Session,
    direction: Direction,
    downs: Mapping[int, DownChoice] | None = None,
) -> ResumePoint:
    """
    Find where the unfinished file of a dirty database resumes.

    Args:
        state: the database, dirty, and the files.
        session: asked for the text that ran, and for the outcome of a statement in flight.
        direction: which way to go.
        downs: what reverting a version runs, where that is not its down file.

    Raises:
        CannotResume: with the reason.
        ScriptError: the file cannot be read.
    """
    inspection, ledger = state.inspection, state.inspection.ledger
    entry = find_interrupted(inspection, session)
    if entry is None or entry.version is None:
        why = "the history has no attempt that left it dirty: another tool did"
        raise CannotResume(ledger.version, why)
    version = entry.version
    if rolls_back(entry, inspection.history or ()):
        raise CannotResume(ledger.version, f"a repair was rolling version {version} back")
    if entry.direction != direction.value:
        why = f"the interrupted run is the {entry.direction} of version {entry.version}"
        raise CannotResume(ledger.version, why, f"rung {entry.direction} --resume")
    choice = (downs or {}).get(version)
    migration = choice.migration if choice else state.migrations.by_version.get(version)
    checksum = entry.up_checksum if direction is Direction.UP else entry.down_checksum
    text = stored_text(session.stored_sql([version]), version, direction, checksum)
    attempt = interrupted_attempt(entry, migration, text, inspection.place.dialect)
    assert migration is not None
    finished = attempt.in_flight is not None and _is_finished(attempt, attempt.in_flight, session)
    point = resume_point(attempt, migration, ledger, state.applied, finished=finished)
    if unseen := unseen_settings(attempt.now, point.done, session):
        raise refused(entry, unseen)
    return point


def resume_command(state: DatabaseState, session: Session) -> str:
    """Return the command that resumes what left the database dirty; empty where none can."""
    entry = find_interrupted(state.inspection, session)
    if entry is None:
        return ""
    with suppress(CannotResume, ScriptError):
        find_resume_point(state, session, Direction(entry.direction))
        return f"rung {entry.direction} --resume"
    return ""


def _is_finished(attempt: InterruptedAttempt, number: int, session: Session) -> bool:
    """Decide whether the statement in flight is finished, by the catalog where it is needed."""
    statement = attempt.ran.statements[number - 1]
    if was_rejected(attempt.entry) and statement.words[:1] not in _MAY_COMMIT:
        return False
    finished: bool | None
    if completion := session.capabilities.completion:
        before = session_before(attempt.ran, number - 1)
        finished = completion.completed(attempt.ran, number, before)
    else:
        may_run_twice = rerun_rule_of(attempt.ran, statement).trace is RerunSafety.NONE
        finished = False if may_run_twice else None
    if finished is None:
        sql = " ".join(redacted_sql(attempt.ran, statement.start, statement.end).split())
        raise refused(
            attempt.entry,
            f"statement {number} on line {statement.line} ({sql[:60]}) ran outside a "
            "transaction, and nothing shows how far it got",
        )
    return finished
