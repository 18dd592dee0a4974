"""Runs a scenario with one of the two commands, and gives the outcome of each step."""

from __future__ import annotations

from dataclasses import dataclass

from tests.conformance.beside import Beside
from tests.conformance.normal import hours, normal
from tests.conformance.places import Place, filled
from tests.conformance.scenario import Outcome, Said, Scenario, State, Step
from tests.conformance.stages.stage import Stage, prepare
from tests.conformance.tools import Call, Tool


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a step, and how the database was before its command."""

    before: State
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Theatre:
    """
    Where scenarios are run.

    Args:
        stage: the database.
        place: the folders.
    """

    stage: Stage
    place: Place

    def play(self, scenario: Scenario, tool: Tool) -> tuple[Seen, ...]:
        """Run a scenario from its start."""
        self.begin(scenario)
        return tuple(self.do(step, tool) for step in scenario.steps)

    def begin(self, scenario: Scenario) -> None:
        """Bring files and database to where a scenario starts."""
        if not (scenario.generated and self.place.has(scenario.files)):
            self.place.lay(scenario.files)
        prepare(self.stage, scenario.files, scenario.start, scenario.sql)

    def do(self, step: Step, tool: Tool) -> Seen:
        """Do one step."""
        self.place.put(step.files)
        if step.sql:
            self.stage.run(step.sql)
        before, files = self.stage.state(), self.place.listing()
        said = tool.run(self._call(step))
        made = sorted(set(self.place.listing()) - set(files))
        return Seen(
            before,
            Outcome(
                self._made_comparable(said),
                self.stage.state(),
                tuple(normal(name, hours()) for name in made),
            ),
        )

    def _call(self, step: Step) -> Call:
        def fill(text: str) -> str:
            return filled(text, self.place, self.stage, step.query, step.user)

        return Call(
            words=tuple(fill(word) for word in step.words),
            stdin=step.stdin,
            cwd=fill(step.cwd),
            env={name: fill(value) for name, value in step.env},
            beside=Beside(step.meanwhile, self.stage) if step.meanwhile else None,
        )

    def _made_comparable(self, said: Said) -> Said:
        names = {**self.place.names, **self.stage.names, **hours()}
        return Said(said.exit, normal(said.stderr, names), normal(said.stdout, names))
