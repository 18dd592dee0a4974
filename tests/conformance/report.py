"""Runs ours through all scenarios and prints how many are equal, better and unexplained."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.conformance.environments import theatre
from tests.conformance.library import difference, scenarios
from tests.conformance.recorder import MAJOR, asked
from tests.conformance.recording import Recording, load
from tests.conformance.tools import Tool, ours
from tests.conformance.verdict import Verdict, judge
from tests.oracle import golang_migrate

from rung.embedded import EmbeddedServer, start

if TYPE_CHECKING:
    from tests.conformance.runner import Theatre
    from tests.conformance.scenario import Scenario

_SHOWN = 20


@dataclass(slots=True)
class Figures:
    """
    What is counted for a scheme.

    Attributes:
        equal: scenarios that are equal in every step.
        better: scenarios with a listed difference, for each difference.
        unexplained: of each scenario that nothing explains, why.
    """

    equal: int = 0
    better: Counter[str] = field(default_factory=Counter)
    listed: int = 0
    unexplained: dict[str, str] = field(default_factory=dict)

    def count(self, scenario: Scenario, verdicts: tuple[Verdict, ...]) -> None:
        """Count a scenario by what came of its steps."""
        faults = [fault for verdict in verdicts for fault in verdict.faults]
        differences = {verdict.difference for verdict in verdicts if verdict.difference}
        if faults:
            self.unexplained[scenario.id] = "\n  ".join(faults)
        elif differences:
            self.listed += 1
            self.better.update(differences)
        else:
            self.equal += 1


def report(schemes: tuple[str, ...]) -> int:
    """Print the figures of schemes; 1 where anything is unexplained."""
    tool = ours()
    if tool is None:
        sys.stderr.write("there is no rung.golang_migrate yet\n")
        return 1
    failed = False
    with ExitStack() as stack:
        server = stack.enter_context(start(major=MAJOR)) if set(schemes) - {"sqlite3"} else None
        for scheme in schemes:
            recording, source = _theirs(scheme, server)
            figures = measured(scheme, server, recording, tool)
            sys.stdout.write(_shown(scheme, recording, source, figures))
            failed = failed or bool(figures.unexplained)
    return 1 if failed else 0


def measured(
    scheme: str, server: EmbeddedServer | None, recording: Recording, tool: Tool
) -> Figures:
    """Run ours through the scenarios of a scheme."""
    figures = Figures()
    with theatre(scheme, server) as opened:
        for each in scenarios(scheme):
            figures.count(each, verdicts(opened, each, recording, tool))
    return figures


def verdicts(
    opened: Theatre, scenario: Scenario, recording: Recording, tool: Tool
) -> tuple[Verdict, ...]:
    """Run ours through a scenario, and hold each step against what is recorded."""
    theirs = recording.of(scenario)
    seen = opened.play(scenario, tool)
    scheme = opened.stage.scheme
    return tuple(
        judge(outcome, each, difference(scenario, step, outcome, scheme))
        for outcome, each, step in zip(theirs, seen, scenario.steps, strict=True)
    )


def _theirs(scheme: str, server: EmbeddedServer | None) -> tuple[Recording, str]:
    """Give the binary's outcomes: asked now where it is at hand, else those recorded."""
    binary = golang_migrate()
    if binary is None:
        return load(scheme), "as recorded; the binary is not here"
    return asked(scheme, server, binary, scenarios(scheme)), "run now"


def _shown(scheme: str, recording: Recording, source: str, figures: Figures) -> str:
    total = figures.equal + figures.listed + len(figures.unexplained)
    left = f"{len(figures.unexplained)} unexplained"
    lines = [
        f"{scheme}: golang-migrate {recording.binary} ({source}), {recording.server}",
        f"  {total} scenarios: {figures.equal} equal, {figures.listed} better and listed, {left}",
        *(f"    {number:5} {name}" for name, number in sorted(figures.better.items())),
    ]
    shown = list(figures.unexplained.items())[:_SHOWN]
    lines += [f"  unexplained: {name}\n  {why}" for name, why in shown]
    return "\n".join(lines) + "\n"
