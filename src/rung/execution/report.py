"""What a run came to, as values. `runner` makes them; `render` shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepReport:
    """One half of a migration that is committed."""

    version: int
    name: str
    direction: str
    file: str
    """Empty where the half is missing and nothing ran."""
    mode: str
    statements: int
    """How many ran; those that an earlier attempt had committed are left out."""
    seconds: float
    result: str
    """applied, reverted, empty (nothing ran), or not reverted (passed over, all of it is left)."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """
    A run that succeeded.

    `version` is the version of the database now, None before the first migration. `missing_steps`
    is how many of the requested steps there were no migrations for.
    """

    steps: tuple[StepReport, ...]
    version: int | None
    missing_steps: int = 0
    waited: float = 0.0
    """Seconds until the lock was held, or until another run had left nothing to do."""
    taken_over: bool = False
    """Whether versions count as applied that no run of Rung's applied."""

    @property
    def nothing_to_do(self) -> bool:
        """True where the database was where it was asked to be."""
        return not self.steps
