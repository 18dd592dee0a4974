"""What a run does not stop for and a person should know: one warning for each kind. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.applied import NOT_REVERTED, is_lone_down
from rung.migrations import Direction
from rung.statements import NOT_COMPARED, contents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.applied import Applied, Renamed
    from rung.migrations import MigrationSet
    from rung.runner import Prepared

_SHOWN = 12


def warnings_of(
    applied: Applied, migrations: MigrationSet, renamed: Sequence[Renamed], *, lone: bool = True
) -> Iterator[str]:
    """
    What is to be said of the files and the history, whatever runs.

    Args:
        applied: what is applied.
        migrations: the files.
        renamed: those with another title than what was applied.
        lone: whether versions that have only a down are passed over.
    """
    downs = (m for m in migrations.migrations if lone and m.up is None)
    passed = [m.version for m in downs if is_lone_down(m, applied.versions.get(m.version))]
    if passed:
        has = "it has" if len(passed) == 1 else "they have"
        yield f"passed over {_versions(passed)}: {has} a down file and no up file"
    if renamed:
        names = [f'{one.version} from "{one.applied_as}" to "{one.name}"' for one in renamed]
        yield f"renamed since it was applied, with the same text: {_cut(names)}"


def not_compared(versions: Sequence[int]) -> Iterator[str]:
    """What is to be said of the versions whose files cannot be compared with the history."""
    if versions:
        yield (
            f"could not be compared, and taken as unedited: {_versions(versions)}; {NOT_COMPARED}"
        )


def passed_over(prepared: Sequence[Prepared]) -> Iterator[str]:
    """What is to be said of the steps that run nothing, and do not say that this is meant."""
    empty = [
        item.step.version
        for item in prepared
        if item.step.direction is Direction.UP and contents(item.script).is_undeclared
    ]
    if empty:
        many = "1 up" if len(empty) == 1 else f"{len(empty)} ups"
        yield (
            f"{many} without a statement: {_versions(empty)}; recorded as empty, not as applied; "
            "where that is meant, declare it in the file: -- rung: empty REASON"
        )
    left = [item.step.version for item in prepared if item.step.passes == NOT_REVERTED]
    if left:
        yield (
            f"not reverted, for the down is empty or missing: {_versions(left)}; what the up made "
            "is still there"
        )


def _versions(versions: Sequence[int]) -> str:
    return _cut([str(version) for version in versions])


def _cut(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
