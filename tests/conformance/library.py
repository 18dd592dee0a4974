"""All scenarios: those written by hand, and the generated ones."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.conformance.cross import generated
from tests.conformance.reading import written_by_hand
from tests.conformance.recording import load
from tests.conformance.rules import Asked, better, commanded

if TYPE_CHECKING:
    from tests.conformance.scenario import Better, Outcome, Scenario, Step


def scenarios(scheme: str) -> tuple[Scenario, ...]:
    """Give the scenarios of a scheme."""
    every = (*written_by_hand(), *generated())
    return tuple(each for each in every if scheme in each.schemes)


@cache
def grouped(scheme: str) -> dict[str, tuple[Scenario, ...]]:
    """Give the scenarios of a scheme by what a test takes at once: generated ones by state."""
    groups: dict[str, list[Scenario]] = {}
    for each in scenarios(scheme):
        name = f"{each.id.partition(':')[0]} {each.start}" if each.generated else each.id
        groups.setdefault(name, []).append(each)
    return {name: tuple(held) for name, held in groups.items()}


def distinct(scheme: str) -> tuple[str, ...]:
    """
    Name the groups with an outcome that no other scheme has.

    For most scenarios golang-migrate does under `pgx5` what it does under `postgres`; ours are
    then compared in `make conformance` alone.
    """
    if scheme != "pgx5":
        return tuple(grouped(scheme))
    recorded, other = load(scheme), load("postgres").outcomes
    return tuple(
        name
        for name, group in grouped(scheme).items()
        if any(each.id not in other or other[each.id][1] != recorded.of(each) for each in group)
    )


def difference(scenario: Scenario, step: Step, theirs: Outcome, scheme: str) -> Better | None:
    """Say how ours is meant to differ in a step, whoever wrote the scenario."""
    if not scenario.generated:
        return step.better_for(scheme)
    return better(Asked(scenario.files, scenario.start, commanded(step.words), theirs))
