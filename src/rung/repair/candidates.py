"""
Which files may have left a ledger dirty. Pure.

Where the history's last row is of an attempt that left the ledger so, it is that one. Else
another tool was at work. golang-migrate writes the version it is going to, dirty, before it runs
a file: dirty at V is the up of V, or the down of the next applied version above V; dirty at -1
is the last down.
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
    The halves that may have run, the likelier ones in the first group.

    Args:
        history: every row, oldest first.
        ledger: dirty.
        migrations: the files, and what the history keeps of versions without one.
        attempt: the one of the history that left the ledger so; None where another tool did.
    """
    rows = history or ()
    if (ours := _ours(rows, ledger, migrations, attempt)) is not None:
        return ((ours,),)
    ups = tuple(_up(rows, ledger, migrations))
    downs = tuple(_down(rows, ledger, migrations))
    recorded = replay(rows)
    went_down = any(one.version in recorded for one in downs)
    return tuple(group for group in ((downs, ups) if went_down else (ups, downs)) if group)


def _ours(
    rows: Sequence[Attempt],
    ledger: LedgerState,
    migrations: MigrationSet,
    entry: Attempt | None,
) -> Candidate | None:
    migration = migrations.by_version.get(entry.version or 0) if entry else None
    if entry is None or migration is None:
        return None
    if rolls_back(entry, rows):
        at = ledger.version
        after = max(migration.version, at or 0)
        return Candidate(migration, Direction.UP, at, after, tuple(replay(rows)), undo=entry)
    direction = Direction(entry.direction)
    if migration.half(direction) is None:
        return None
    base = tuple(replay(rows))
    rest = tuple(version for version in base if version != entry.version)
    before = max(base, default=None)
    if direction is Direction.DOWN:
        return Candidate(migration, direction, before, max(rest, default=None), base, entry)
    if entry.version != ledger.version:
        before = ledger.version  # a late one, which leaves the ledger where it is
    return Candidate(migration, direction, before, ledger.version, rest, entry)


def _up(
    rows: Sequence[Attempt], ledger: LedgerState, migrations: MigrationSet
) -> Iterator[Candidate]:
    version = ledger.version
    migration = migrations.by_version.get(version) if version is not None else None
    if version is None or migration is None or migration.up is None:
        return
    base = _applied_below(version, rows, migrations)
    yield Candidate(migration, Direction.UP, max(base, default=None), version, base)


def _down(
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
    What was applied below a version: by the history, in its order, then the files above that.

    Another tool went up from where the history ends, through every file.
    """
    known = replay(rows)
    newest = max(known, default=-1)
    recorded = [one for one in known if one < version]
    return (*recorded, *(v for v in migrations.versions if newest < v < version))


_INVALID = "invalid"


def states_of(
    script: Script, snapshots: Mapping[int, Snapshot], broken: Snapshot | None = None
) -> tuple[State, ...]:
    """
    Every state, in order.

    Args:
        script: the file's.
        snapshots: of the schema after so many of its statements; 0 is the one before it.
        broken: behind the statement that was refused, where it left something.
    """
    states = tuple(_states(script, snapshots))
    last = max(snapshots)
    if broken is None or broken == snapshots[last]:
        return states
    return (*states, State(last, broken, last + 1))


def _states(script: Script, snapshots: Mapping[int, Snapshot]) -> Iterator[State]:
    for number in sorted(_ends(script) & snapshots.keys()):
        yield State(number, snapshots[number])
        if number + 1 in snapshots and number < len(script.statements):
            statement = script.statements[number]
            yield from _half(statement, snapshots[number], snapshots[number + 1])


def _ends(script: Script) -> set[int]:
    """The numbers of statements behind which no transaction of the file's own is open."""
    found, inside = {0}, False
    for statement in script.statements:
        if statement.control is Control.BEGIN:
            inside = True
        elif statement.control in (Control.COMMIT, Control.ROLLBACK, Control.PREPARE):
            inside = False
        if not inside:
            found.add(statement.number)
    return found


def _half(statement: Statement, before: Snapshot, after: Snapshot) -> Iterator[State]:
    if not statement.concurrent_build:
        return
    made = _indexes(after, before) or _indexes(before, after)
    if made:
        invalid = {name: _invalid(text) for name, text in made.items()}
        snapshot = Snapshot.of((dict(before.objects) | invalid).items())
        yield State(statement.number - 1, snapshot, statement.number)


def _indexes(one: Snapshot, other: Snapshot) -> dict[str, str]:
    """The indexes that the one has and the other has not."""
    return {
        name: text
        for name, text in one.objects.items()
        if name.startswith("index ") and name not in other.objects
    }


def _invalid(text: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join((first, _INVALID, *rest))
