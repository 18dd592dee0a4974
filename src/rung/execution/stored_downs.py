"""
What going down would run: files, texts out of the history, nothing; and what stops it.

Owns whether a stored text may run. A text runs unseen only where its digest fits, nothing was
redacted, and nobody but us could write the history, now and when the text was stored. An
unrecognized formula never permits.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from rung.errors import DownRefused, StoredSqlUnconfirmed, StoredSqlUnusable
from rung.planning.down_choice import DownOptions, StoredDown, StoredDownSql, choose_down
from rung.planning.plan import Down, Goto, Redo, Up, versions_down
from rung.script import knows_formula
from rung.source import Direction, MigrationSet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.drivers.contract import Session
    from rung.drivers.inspection import OtherWriters
    from rung.drivers.transaction import StoredSql
    from rung.execution.state import DatabaseState
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
        session: asked for the stored texts.
        options: whether empty downs are passed, as golang-migrate does.
    """
    ledger = state.inspection.ledger
    applied = state.applied.lone_downs(state.migrations, ledger, count=options.passes_empty)
    versions = versions_down(goal, applied) if ledger.version is not None or ledger.dirty else ()
    held = [applied.versions[version] for version in versions]
    held = [one for one in held if _is_there(one, state)]
    halves = session.stored([one.version for one in held]) if held else ()
    writers = state.inspection.other_writers
    chosen = {}
    for one in held:
        migration = state.migrations.by_version.get(one.version)
        chosen[one.version] = choose_down(
            one,
            migration,
            stored_down(one, halves, writers),
            state.inspection.place.dialect,
            options_of(goal),
            passes_empty=options.passes_empty,
        )
    return chosen


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
    Refuse a stored text that may not run unseen, and that nobody has let run.

    Raises:
        StoredSqlUnconfirmed: there is one.
    """
    let = options_of(plan.goal).stored_sql
    for step in plan.steps:
        stored, half = step.stored, step.half
        if stored is not None and half is not None and stored.unseen and stored.sha256 not in let:
            raise StoredSqlUnconfirmed(
                step.version, stored.sha256, stored.unseen, half.text, command_of(plan)
            )


def options_of(goal: Goal) -> DownOptions:
    """What a goal allows on its way down."""
    return DownOptions() if isinstance(goal, Up) else goal.downs


def command_of(plan: Plan) -> str:
    """The command that reverts as many versions as a plan does, with what is allowed already."""
    downs = sum(step.direction is Direction.DOWN for step in plan.steps)
    return _command(plan.goal, downs)


def stored_down(
    known: AppliedVersion, halves: Sequence[StoredSql], writers: OtherWriters
) -> StoredDown:
    """
    Give the down that was stored with the attempt which applied a version.

    Args:
        known: the version, as the history holds it.
        halves: every text that is kept of it.
        writers: who else may write the history.
    """
    row = known.down_entry
    if row is None or known.entry is None or row.down_digest is None:
        return StoredDown()
    if not known.ran:
        return StoredDown(reason="was recorded at first contact, which does not say what ran")
    if not knows_formula(row.checksum_formula):
        return StoredDown(reason="has a checksum of a newer formula, which proves nothing here")
    kept = [half for half in halves if _fits(half, known, row.down_digest, row.down_checksum)]
    if not kept:
        return StoredDown(reason="was not kept")
    for half in reversed(kept):
        digest = sha256(half.sql.encode()).hexdigest()
        if digest in (row.down_digest, half.digest):
            oldest = min(half.id, row.id, known.entry.id)
            return StoredDown(half.sql, sql=StoredDownSql(digest, why_unseen(oldest, writers)))
    return StoredDown(reason="holds a secret, which was not kept with it, or was changed")


def _fits(half: StoredSql, known: AppliedVersion, digest: str, checksum: str | None) -> bool:
    """Whether a text was recorded as the down of an attempt, or as one that says the same."""
    if (half.version, half.direction) != (known.version, Direction.DOWN.value):
        return False
    same = checksum is not None and half.checksum == checksum
    return half.digest == digest or (same and knows_formula(half.formula))


def why_unseen(row: int, writers: OtherWriters) -> str:
    """Why a text of a row may not run unseen; empty where it may."""
    if writers.history:
        return f"Others may write the history: {', '.join(writers.history)}."
    if writers.closed_after is None:
        return "It is not known whether others could write the history when it was stored."
    if row <= writers.closed_after:
        return "Others could write the history when it was stored."
    return ""


def _is_there(one: AppliedVersion, state: DatabaseState) -> bool:
    """Whether there is anything of a version to go by: its files, or what is kept of them."""
    return one.version in state.migrations.by_version or (one.kept and state.applied.recorded)


def _command(goal: Goal, downs: int) -> str:
    number = "" if downs <= 1 else f" {downs}"
    command = f"rung redo{number}" if isinstance(goal, Redo) else f"rung down{number}"
    if isinstance(goal, Down) and goal.limit is None:
        command = "rung down --all"
    if isinstance(goal, Goto):
        late = "".join(f" --allow-out-of-order {version}" for version in goal.allow_out_of_order)
        command = f"rung goto {goal.version}{late}"
    options = options_of(goal)
    command += (
        " --allow-missing-down" * options.unreverted + " --use-edited-down" * options.use_edited
    )
    return command + "".join(f" --run-stored-sql {one}" for one in options.stored_sql)


def with_choices(migrations: MigrationSet, chosen: Mapping[int, DownChoice]) -> MigrationSet:
    """The same migrations with the downs that would run."""
    found = {**migrations.by_version, **{v: choice.migration for v, choice in chosen.items()}}
    there = tuple(found[version] for version in sorted(found))
    return replace(migrations, migrations=there)
