"""Files run through on a scratch of the mind: what each statement adds to a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.repair import Candidate, TrialResult, possible_states
from rung.script import read
from rung.snapshot import Aspect, Snapshot
from rung.source import Direction, Migration, MigrationFile

if TYPE_CHECKING:
    from rung.ledger import Attempt

BASE = {"table users": "", "owner of table users": "ada"}
THREE = "CREATE TABLE a (x int);\nUPDATE users SET x = 1;\nCREATE TABLE b (x int);"
"""The second leaves no trace."""


def snapshot(*names: str, **texts: str) -> Snapshot:
    """A schema of the base and these objects."""
    more = {name.replace("_", " "): text for name, text in texts.items()}
    return Snapshot.of((BASE | dict.fromkeys(names, "") | more).items())


def candidate(
    text: str = THREE,
    direction: Direction = Direction.UP,
    attempt: Attempt | None = None,
    version: int = 2,
) -> Candidate:
    """The half of version 2 that may have run; version 1 is applied before it."""
    half = MigrationFile(f"{version}_m.{direction.value}.sql", "m", text)
    up, down = (half, None) if direction is Direction.UP else (None, half)
    before, after = (1, version) if direction is Direction.UP else (version, 1)
    return Candidate(Migration(version, up, down), direction, before, after, (1,), attempt)


def tried(of: Candidate, *objects: str, failure: str = "") -> TrialResult:
    """
    What it came to on scratch.

    Args:
        of: the candidate.
        objects: what each of its statements makes; an empty text for no trace.
        failure: why the next statement was rejected.
    """
    half = of.migration.half(of.direction)
    script = read(half.text if half else "")
    seen = {0: snapshot().without(Aspect.OWNER)}
    names: list[str] = []
    for number, name in enumerate(objects, 1):
        names += [name] if name else []
        seen[number] = snapshot(*names).without(Aspect.OWNER)
    return TrialResult(of, script, possible_states(script, seen), failure)
