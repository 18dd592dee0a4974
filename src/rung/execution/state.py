"""
What one look at a database comes to, beside the files: the ground of every decision.

Reads only. Owns what is applied, edited, owed to the history, and whether a build of the files
suits a database that is ahead of them. Refuses nothing: that is for whoever plans on it.
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
    """The files, what a look found, and what is applied by both."""

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
        """The way to a goal from here; raises what `rung.planning.plan.make_plan` raises."""
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
    Look at the database.

    The version that a dirty ledger names is not applied: there the history's word counts.
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
        kept_text(stored, one.version, Direction.UP, one.up.checksum)
        for one in above
        if one.up is not None
    ]
    return suits(newest, texts, dialect)


def with_all_stored(
    migrations: MigrationSet,
    history: Sequence[Attempt],
    session: Session,
    look: Inspection,
    say: Callable[[str], None],
) -> MigrationSet:
    """
    The migrations as they ran, as far as the history tells, with those that only it has.

    A file that was edited since stands back behind the text that is kept, unless a secret was
    redacted in that, or others could have written it: that is run nowhere unseen.

    Args:
        migrations: the files.
        history: every row, oldest first.
        session: asked for the texts.
        look: the dialect, and who else may write the history.
        say: told of a text that is left out though no file stands in for it.
    """
    newest = {row.version: row for row in history if row.version is not None and _has_texts(row)}
    halves = session.stored_sql(sorted(newest))
    found = dict(migrations.by_version)
    for version, row in newest.items():
        found[version] = _as_it_ran(found.get(version), row, halves, look, say)
    there = sorted((m for m in found.values() if m.up or m.down), key=lambda one: one.version)
    return MigrationSet(migrations.source, tuple(there), migrations.warnings)


def _has_texts(row: Attempt) -> bool:
    return bool(row.up_checksum or row.down_checksum)


def _as_it_ran(
    migration: Migration | None,
    row: Attempt,
    halves: Sequence[StoredSql],
    look: Inspection,
    say: Callable[[str], None],
) -> Migration:
    version, dialect = row.version or 0, look.place.dialect
    here = migration or Migration(version)
    sums = {Direction.UP: row.up_checksum, Direction.DOWN: row.down_checksum}
    digests = {Direction.UP: row.up_digest, Direction.DOWN: row.down_digest}
    made = {}
    for direction, total in sums.items():
        made[direction] = half = here.half(direction)
        kept = AppliedFile(total, row.checksum_formula, digests[direction])
        stored = _newest(halves, version, direction, total) if total else None
        if stored is None or not is_proven(stored.sql, kept, dialect):
            continue
        file = f"{version}_{row.name}.{direction.value}.sql (as stored)"
        if half is not None and is_proven(half.text, kept, dialect):
            continue
        if why := why_unseen(min(stored.id, row.id), look.other_writers):
            if half is None:
                say(f"{file} is not run on the scratch database. {why}")
            continue
        made[direction] = MigrationFile(file, row.name, stored.sql)
    return Migration(version, made[Direction.UP], made[Direction.DOWN])


def _newest(
    halves: Sequence[StoredSql], version: int, direction: Direction, checksum: str
) -> StoredSql | None:
    wanted = (version, direction.value, checksum)
    found = [half for half in halves if (half.version, half.direction, half.checksum) == wanted]
    return found[-1] if found else None


def kept_text(
    halves: Sequence[StoredSql], version: int, direction: Direction, checksum: str | None
) -> str | None:
    """The newest kept text of a half with a checksum; None where there is none."""
    wanted = (version, direction.value, checksum)
    found = [h.sql for h in halves if (h.version, h.direction, h.checksum) == wanted]
    return found[-1] if found else None


def set_unseen(script: Script, done: int, session: Session) -> str:
    """
    Why the session behind the first `done` statements may not be what SET makes; else empty.

    Args:
        script: the file's, as it ran.
        done: how many of its statements are committed.
        session: asked for the code of functions.
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
    """Whether code may set the session; names that are read and do not are added to `clean`."""
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
    text = kept_text(session.stored_sql([version]), version, direction, checksum)
    attempt = interrupted_attempt(entry, migration, text, inspection.place.dialect)
    assert migration is not None
    finished = attempt.in_flight is not None and _is_finished(attempt, attempt.in_flight, session)
    point = resume_point(attempt, migration, ledger, state.applied, finished=finished)
    if unseen := set_unseen(attempt.now, point.done, session):
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
