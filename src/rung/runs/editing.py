"""Taking over an edit of an applied migration: what it is, and the row that says it is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import PlanChanged, ScriptError, UsageError
from rung.runner import Recorder
from rung.runs.access import check_recordable
from rung.runs.known import know
from rung.runs.planning import edited_files
from rung.runs.settling import check_known, writing
from rung.statements import read

if TYPE_CHECKING:
    from rung.drivers.base import Session
    from rung.errors import EditedFile
    from rung.migrations import Half, MigrationSet
    from rung.runs.known import Known
    from rung.target import Target


def edited(target: Target, migrations: MigrationSet, version: int) -> tuple[EditedFile, ...]:
    """
    The edited files of a version, with their differences.

    Raises:
        VersionNotInSource, UsageError: there is nothing to accept.
        ScriptError: the file cannot be read as SQL.
    """
    check_known(version, migrations)
    with target.connected() as session:
        return _edited(know(session, migrations), version, session)


def accept_edit(
    target: Target,
    migrations: MigrationSet,
    version: int,
    expected: tuple[EditedFile, ...] | None,
) -> tuple[EditedFile, ...]:
    """
    Record that an edit is meant; runs nothing.

    Raises:
        PlanChanged: it is not the edit that somebody was shown.
        VersionNotInSource, UsageError: there is nothing to accept.
        ScriptError: the file cannot be read as SQL.
    """
    check_known(version, migrations)
    with writing(target) as session:
        known = know(session, migrations)
        found = _edited(known, version, session)
        if expected is not None and found != expected:
            raise PlanChanged
        check_recordable(known.look)
        recorder = Recorder.of(known.look.history or (), known.look.place.dialect)
        session.record([recorder.note("edit", version, migrations.by_version[version])])
        return found


def _edited(known: Known, version: int, session: Session) -> tuple[EditedFile, ...]:
    if version not in known.applied.versions:
        raise UsageError(
            f"Version {version} is not applied, so its files may be edited freely.",
            "See `rung status`.",
        )
    found = [edit for edit in known.edits if edit.version == version]
    if not found:
        raise UsageError(
            f"Version {version} is not edited: nothing but comments or spacing differs, or the "
            "history does not hold its text.",
            "See `rung status`.",
        )
    for edit in found:
        _check_readable(edit.half, known)
    return edited_files(found, known, session)


def _check_readable(half: Half, known: Known) -> None:
    """Refuse a file that could not run: its text could not be taken over."""
    try:
        read(half.text, known.look.place.dialect)
    except ScriptError as error:
        raise error.in_file(half.file) from None
