"""All scenarios: those written by hand, and the generated ones."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.conformance.cross import generated
from tests.conformance.reader import written_by_hand
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


@cache
def distinct(scheme: str) -> dict[str, tuple[Scenario, ...]]:
    """
    Give the groups without the scenarios whose outcome another one has.

    Of generated scenarios, those with the same command and outcome count once. One of `pgx5`
    counts only where its outcome differs from `postgres`. `make conformance` runs all.
    """
    seen = set(_answers("postgres").values()) if scheme == "pgx5" else set()
    chosen: dict[str, list[Scenario]] = {}
    answers = _answers(scheme)
    for name, group in grouped(scheme).items():
        for each in group:
            if (answer := answers[each.id]) not in seen:
                seen.add(answer)
                chosen.setdefault(name, []).append(each)
    return {name: tuple(held) for name, held in chosen.items()}


def _answers(scheme: str) -> dict[str, tuple[object, ...]]:
    """What golang-migrate answered to the command of each scenario; one by hand has its name."""
    recording = load(scheme)
    return {
        each.id: (_command(each) if each.generated else each.id, recording.of(each))
        for group in grouped(scheme).values()
        for each in group
    }


def _command(scenario: Scenario) -> str:
    return commanded(scenario.steps[0].words)[0]


def difference(scenario: Scenario, step: Step, theirs: Outcome, scheme: str) -> Better | None:
    """Say how ours is meant to differ in a step, whoever wrote the scenario."""
    if not scenario.generated:
        return step.better_for(scheme)
    return better(Asked(scenario.files, scenario.start, commanded(step.words), theirs))
