"""
Find the files that may have left a ledger dirty. Pure.

If the history's last row is an attempt that left the ledger dirty, its file is the only
candidate. Otherwise another tool ran. golang-migrate writes the target version with the dirty
flag before it runs a file: dirty at V is the up of V, or the down of the next applied version
above V; dirty at -1 is the last down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.planning.history_replay import replay
from rung.planning.resume import rolls_back
from rung.repair.model import Candidate, State
from rung.script import Control
from rung.snapshot import Snapshot
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rung.ledger import Attempt, LedgerState
    from rung.script import Script, Statement
    from rung.source import MigrationSet


def find_candidates(
    history: Sequence[Attempt] | None,
    ledger: LedgerState,
    migrations: MigrationSet,
    attempt: Attempt | None,
) -> tuple[tuple[Candidate, ...], ...]:
    """
    Return the files that may have run, the likelier ones in the first group.

    Args:
        history: every row, oldest first.
        ledger: the dirty ledger.
        migrations: the files, and the stored texts of versions without files.
        attempt: the history's attempt that left the ledger dirty; None where another tool did.
    """
    rows = history or ()
    if (recorded := _from_history(rows, ledger, migrations, attempt)) is not None:
        return ((recorded,),)
    ups = tuple(_up_candidates(rows, ledger, migrations))
    downs = tuple(_down_candidates(rows, ledger, migrations))
    applied = replay(rows)
    went_down = any(candidate.version in applied for candidate in downs)
    return tuple(group for group in ((downs, ups) if went_down else (ups, downs)) if group)


def _from_history(
    rows: Sequence[Attempt],
    ledger: LedgerState,
    migrations: MigrationSet,
    entry: Attempt | None,
) -> Candidate | None:
    migration = migrations.by_version.get(entry.version or 0) if entry else None
    if entry is None or migration is None:
        return None
    if rolls_back(entry, rows):
        before = ledger.version
        after = max(migration.version, before or 0)
        return Candidate(migration, Direction.UP, before, after, tuple(replay(rows)), undo=entry)
    direction = Direction(entry.direction)
    if migration.half(direction) is None:
        return None
    base = tuple(replay(rows))
    rest = tuple(version for version in base if version != entry.version)
    before = max(base, default=None)
    if direction is Direction.DOWN:
        return Candidate(migration, direction, before, max(rest, default=None), base, entry)
    if entry.version != ledger.version:
        before = ledger.version  # an out-of-order up leaves the ledger's version as it is
    return Candidate(migration, direction, before, ledger.version, rest, entry)


def _up_candidates(
    rows: Sequence[Attempt], ledger: LedgerState, migrations: MigrationSet
) -> Iterator[Candidate]:
    version = ledger.version
    migration = migrations.by_version.get(version) if version is not None else None
    if version is None or migration is None or migration.up is None:
        return
    base = _applied_below(version, rows, migrations)
    yield Candidate(migration, Direction.UP, max(base, default=None), version, base)


def _down_candidates(
    rows: Sequence[Attempt], ledger: LedgerState, migrations: MigrationSet
) -> Iterator[Candidate]:
    floor = -1 if ledger.version is None else ledger.version
    recorded = [version for version in replay(rows) if version > floor]
    above = recorded or [version for version in migrations.versions if version > floor]
    version = min(above, default=None)
    migration = migrations.by_version.get(version) if version is not None else None
    if version is None or migration is None or migration.down is None:
        return
    base = (*_applied_below(version, rows, migrations), version)
    if ledger.version is None:
        base = (version,)
    yield Candidate(migration, Direction.DOWN, version, ledger.version, base)


def _applied_below(
    version: int, rows: Sequence[Attempt], migrations: MigrationSet
) -> tuple[int, ...]:
    """
    Return the versions applied below a version: those of the history, then the files above it.

    Another tool applied every file from the end of the history on.
    """
    applied = replay(rows)
    newest = max(applied, default=-1)
    recorded = [one for one in applied if one < version]
    return (*recorded, *(v for v in migrations.versions if newest < v < version))


_INVALID = "invalid"


def possible_states(
    script: Script, snapshots: Mapping[int, Snapshot], broken: Snapshot | None = None
) -> tuple[State, ...]:
    """
    Return every state that a file could have left, in order.

    Args:
        script: the file's script.
        snapshots: the schema by the number of statements that ran; 0 is before the first.
        broken: the schema after the statement that failed.
    """
    states = tuple(_states(script, snapshots))
    last = max(snapshots)
    if broken is None or broken == snapshots[last]:
        return states
    return (*states, State(last, broken, last + 1))


def _states(script: Script, snapshots: Mapping[int, Snapshot]) -> Iterator[State]:
    for number in sorted(_transaction_ends(script) & snapshots.keys()):
        yield State(number, snapshots[number])
        if number + 1 in snapshots and number < len(script.statements):
            statement = script.statements[number]
            yield from _partial_states(statement, snapshots[number], snapshots[number + 1])


def _transaction_ends(script: Script) -> set[int]:
    """Return the numbers of statements after which no transaction of the file's own is open."""
    ends, inside = {0}, False
    for statement in script.statements:
        if statement.control is Control.BEGIN:
            inside = True
        elif statement.control in (Control.COMMIT, Control.ROLLBACK, Control.PREPARE):
            inside = False
        if not inside:
            ends.add(statement.number)
    return ends


def _partial_states(statement: Statement, before: Snapshot, after: Snapshot) -> Iterator[State]:
    """Yield the state that a failed concurrent build or drop leaves: its index, invalid."""
    if not statement.concurrent_build:
        return
    if indexes := _missing_indexes(after, before) or _missing_indexes(before, after):
        invalid = {}
        for name, text in indexes.items():
            first, *rest = text.split("\n")
            invalid[name] = "\n".join((first, _INVALID, *rest))
        snapshot = Snapshot.of((dict(before.objects) | invalid).items())
        yield State(statement.number - 1, snapshot, statement.number)


def _missing_indexes(present: Snapshot, absent: Snapshot) -> dict[str, str]:
    """Return the indexes of the first snapshot that the second does not have."""
    return {
        name: text
        for name, text in present.objects.items()
        if name.startswith("index ") and name not in absent.objects
    }
