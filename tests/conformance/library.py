"""All scenarios: those written by hand, and the generated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.cross import generated
from tests.conformance.reading import written_by_hand
from tests.conformance.rules import Asked, better, commanded

if TYPE_CHECKING:
    from tests.conformance.scenario import Better, Outcome, Scenario, Step


def scenarios(scheme: str) -> tuple[Scenario, ...]:
    """Give the scenarios of a scheme."""
    every = (*written_by_hand(), *generated())
    return tuple(each for each in every if scheme in each.schemes)


def difference(scenario: Scenario, step: Step, theirs: Outcome, scheme: str) -> Better | None:
    """Say how ours is meant to differ in a step, whoever wrote the scenario."""
    if not scenario.generated:
        return step.better_for(scheme)
    return better(Asked(scenario.files, scenario.start, commanded(step.words), theirs))
