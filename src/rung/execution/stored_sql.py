"""
SQL that is stored in the history: which of it runs, and which of it may.

It runs unread only where its digest matches, nothing was redacted, and nobody but us could write
the history, now and when it was stored. An unrecognized checksum formula never permits it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from rung.errors import DownRefused, StoredSqlUnconfirmed, StoredSqlUnusable
from rung.planning.down_choice import StoredDown, StoredDownSql, choose_down
from rung.planning.edits import is_proven
from rung.planning.goal_command import command_of, down_options
from rung.planning.history_replay import AppliedFile
from rung.planning.plan import versions_down
from rung.script import knows_formula
from rung.source import Direction, Migration, MigrationFile, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection, OtherWriters
    from rung.drivers.transaction import StoredSql
    from rung.execution.state import DatabaseState
    from rung.ledger import Attempt
    from rung.options import RunOptions
    from rung.planning.down_choice import DownChoice
    from rung.planning.history_replay import AppliedVersion
    from rung.planning.plan import Goal, Plan

Choices = dict[int, "DownChoice"]


def choose_downs(
    goal: Goal, state: DatabaseState, session: Session, options: RunOptions
) -> Choices:
    """
    Choose what each version on a goal's way down runs.

    Args:
        goal: where to go.
        state: the files and the database.
        session: read for the stored SQL.
        options: whether empty downs run nothing, as in golang-migrate.
    """
    inspection, files = state.inspection, state.migrations.by_version
    ledger = inspection.ledger
    if ledger.version is None and not ledger.dirty:
        return {}
    applied = state.applied.lone_downs(state.migrations, ledger, count=options.passes_empty)
    versions = [applied.versions[version] for version in versions_down(goal, applied)]
    # A version without files and without a history row has nothing that could be chosen.
    chosen = [
        one
        for one in versions
        if one.version in files or (one.has_files and state.applied.recorded)
    ]
    stored = session.stored_sql([one.version for one in chosen]) if chosen else ()
    return {
        one.version: choose_down(
            one,
            files.get(one.version),
            stored_down(one, stored, inspection.other_writers),
            inspection.place.dialect,
            down_options(goal),
            passes_empty=options.passes_empty,
        )
        for one in chosen
    }


def check_downs(plan: Plan, chosen: Choices, migrations: MigrationSet) -> None:
    """
    Refuse a plan with versions that cannot be reverted.

    Raises:
        DownRefused: with all of them.
        StoredSqlUnusable: there are no files, and what is stored cannot be run.
    """
    downs = [s.version for s in plan.steps if s.direction is Direction.DOWN and not s.continues]
    choices = (chosen[version] for version in downs if version in chosen)
    problems = [choice.problem for choice in choices if choice.problem is not None]
    for one in problems:
        without_files = one.version not in migrations.by_version
        if without_files and one.kind == "missing" and one.detail:
            raise StoredSqlUnusable(one.version, one.detail)
    if problems:
        raise DownRefused(problems, command_of(plan))


def check_read(plan: Plan) -> None:
    """
    Refuse stored SQL that nobody has read yet, and that must not run unread.

    Raises:
        StoredSqlUnconfirmed: there is some.
    """
    allowed = down_options(plan.goal).stored_sql
    for step in plan.steps:
        stored, file = step.stored, step.half
        if stored is None or file is None or not stored.unseen or stored.sha256 in allowed:
            continue
        raise StoredSqlUnconfirmed(
            step.version, stored.sha256, stored.unseen, file.text, command_of(plan)
        )


def stored_down(
    applied: AppliedVersion, stored: Sequence[StoredSql], writers: OtherWriters
) -> StoredDown:
    """
    Find the down that was stored with the attempt which applied a version.

    Args:
        applied: the version, as in the history.
        stored: every text that the history has of it.
        writers: who else may write the history.
    """
    row = applied.down_entry
    if row is None or applied.entry is None or row.down_digest is None:
        return StoredDown()
    if not applied.ran:
        return StoredDown(reason="was recorded as a baseline, which does not say what ran")
    if not knows_formula(row.checksum_formula):
        return StoredDown(reason="has a checksum of a newer formula, which cannot be verified")
    digest, checksum = row.down_digest, row.down_checksum
    recorded = [
        one
        for one in stored
        if (one.version, one.direction) == (applied.version, Direction.DOWN.value)
        if one.digest == digest
        # Another text with the same checksum runs the same statements.
        or (checksum is not None and one.checksum == checksum and knows_formula(one.formula))
    ]
    if not recorded:
        return StoredDown(reason="is not stored")
    for one in reversed(recorded):
        found = sha256(one.sql.encode()).hexdigest()
        if found in (digest, one.digest):
            oldest = min(one.id, row.id, applied.entry.id)
            return StoredDown(one.sql, sql=StoredDownSql(found, why_unseen(oldest, writers)))
    return StoredDown(reason="contains a secret, which is not stored, or was changed")


def why_unseen(row: int, writers: OtherWriters) -> str:
    """Say why the stored text of a row must not run unread; empty where it may."""
    if writers.history:
        return f"Other roles may write the history: {', '.join(writers.history)}."
    if writers.closed_after is None:
        return "It is not known whether other roles could write the history when it was stored."
    if row <= writers.closed_after:
        return "Other roles could write the history when it was stored."
    return ""


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
