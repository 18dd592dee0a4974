"""
Which down belongs to the up that ran. Pure.

The rule, for an applied version:

1. A migration that is declared irreversible is never reverted.
2. An up that held no statement is passed: nothing was done, so nothing is undone.
3. The up file says what ran, and the down file holds SQL: the file runs.
4. Else the down that was stored with the attempt runs, if it can be: the up was edited,
   exchanged or removed, or the down file is missing or empty.
5. Without such a text: an empty down is passed where it is declared, and stops everything
   where it is not; a down file that belongs to another up is refused.

What was recorded at first contact never counts as what ran. Comments and spacing are no edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rung.errors import DownProblem
from rung.planning.edits import is_proven
from rung.planning.history_replay import is_lone_down
from rung.script import Contents, contents_of
from rung.script.dialect import Dialect
from rung.source import Migration, MigrationFile

if TYPE_CHECKING:
    from rung.planning.history_replay import AppliedVersion

EMPTY, NOT_REVERTED = "empty", "not reverted"
"""Why a down runs nothing."""


@dataclass(frozen=True, slots=True)
class DownOptions:
    """What is allowed on the way down that would be refused."""

    unreverted: bool = False
    """Pass versions whose down is empty or missing, and record that they are not reverted."""
    use_edited: bool = False
    """Run the down file although the up was edited, and what ran is not stored."""
    stored_sql: tuple[str, ...] = ()
    """The SHA-256 of stored SQL that somebody has read and allows to run."""


STRICT = DownOptions()
"""Nothing is allowed."""


class StoredDownSql(NamedTuple):
    """SQL stored in the history that runs in place of a file."""

    sha256: str
    unseen: str = ""
    """Why it must not run before somebody has read it; empty where it may."""


@dataclass(frozen=True, slots=True)
class StoredDown:
    """
    The down that was stored with the attempt which applied a version.

    `text` is None where it cannot be run, and `reason` says why in a few words: empty where the
    attempt had no down.
    """

    text: str | None = None
    reason: str = ""
    sql: StoredDownSql | None = None


@dataclass(frozen=True, slots=True)
class DownChoice:
    """What reverting one version runs: a file, stored SQL or nothing; or why it is refused."""

    migration: Migration
    """With the down that runs."""
    passes: str = ""
    """Why nothing runs; empty where something does."""
    stored: StoredDownSql | None = None
    """Where the down is not the file's."""
    problem: DownProblem | None = None


def choose_down(
    known: AppliedVersion,
    migration: Migration | None,
    stored: StoredDown,
    dialect: Dialect = Dialect.POSTGRES,
    options: DownOptions = STRICT,
    *,
    passes_empty: bool = False,
) -> DownChoice:
    """
    Choose what reverting an applied version runs.

    Args:
        known: the version, as the history holds it.
        migration: its files; None where there are none.
        stored: what was stored with the attempt.
        dialect: the SQL that the database reads.
        options: what was allowed.
        passes_empty: whether an empty or missing down is passed as golang-migrate does.
    """
    files = migration or Migration(known.version, MigrationFile("", known.name, ""))
    down = contents_of(files.down.text, dialect) if files.down else None
    if reason := _irreversible(files, stored, dialect):
        return DownChoice(files, problem=_problem(known, files, "irreversible", reason))
    # golang-migrate runs a down that has statements even where its up had none.
    nothing_to_run = not passes_empty or down is None or down.is_empty
    if nothing_to_run and _ran_empty(known, migration, dialect):
        return DownChoice(files, passes=EMPTY)
    unedited = migration is not None and _is_unedited(known, migration, dialect)
    if down is not None and not down.is_empty and unedited:
        return DownChoice(files)
    if down is not None and down.empty and unedited:
        return DownChoice(files, passes=EMPTY)
    if (chosen := _from_history(known, files, stored, dialect)) is not None:
        return chosen
    return _without_history(known, files, down, stored, options, passes_empty=passes_empty)


def _from_history(
    known: AppliedVersion, files: Migration, stored: StoredDown, dialect: Dialect
) -> DownChoice | None:
    """Choose the stored down, if there is one with SQL or a declaration."""
    if stored.text is None:
        return None
    held = contents_of(stored.text, dialect)
    if held.is_empty and not held.empty:
        return None
    half = MigrationFile(
        f"{known.version}_{known.name}.down.sql (as stored)", known.name, stored.text
    )
    passes = EMPTY if held.is_empty else ""
    return DownChoice(files._replace(down=half), passes, None if passes else stored.sql)


def _without_history(
    known: AppliedVersion,
    files: Migration,
    down: Contents | None,
    stored: StoredDown,
    options: DownOptions,
    *,
    passes_empty: bool,
) -> DownChoice:
    if down is not None and not down.is_undeclared:
        if options.use_edited:
            return DownChoice(files, passes=EMPTY if down.is_empty else "")
        return DownChoice(files, problem=_problem(known, files, "edited", stored.reason))
    if options.unreverted or passes_empty:
        return DownChoice(files, passes=NOT_REVERTED)
    kind = "missing" if down is None else "empty"
    return DownChoice(files, problem=_problem(known, files, kind, stored.reason))


def _irreversible(files: Migration, stored: StoredDown, dialect: Dialect) -> str:
    """Return the reason that a file declares, or without files the stored text."""
    halves = [half.text for half in (files.down, files.up) if half is not None]
    texts = halves if any(halves) else [stored.text or ""]
    return next(filter(None, (contents_of(text, dialect).irreversible for text in texts)), "")


def _ran_empty(known: AppliedVersion, migration: Migration | None, dialect: Dialect) -> bool:
    """Whether the applied up held no statement; the file's, where nothing is recorded."""
    if known.is_empty or is_lone_down(migration, known):
        return True
    if known.entry is not None or migration is None or migration.up is None:
        return False
    return contents_of(migration.up.text, dialect).is_empty


def _is_unedited(known: AppliedVersion, migration: Migration, dialect: Dialect) -> bool:
    """Whether the up file is the recorded one; True where nothing is recorded."""
    if migration.up is None:
        return known.is_empty or is_lone_down(migration, known)
    return known.up is None or is_proven(migration.up.text, known.up, dialect)


def _problem(known: AppliedVersion, files: Migration, kind: str, detail: str) -> DownProblem:
    file = files.down.file if files.down else ""
    return DownProblem(known.version, known.name or files.name, file, kind, detail)
