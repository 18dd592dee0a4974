"""Runs a scenario with one of the two commands, and gives the outcome of each step."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.conformance.backends.backend import Stage, prepare
from tests.conformance.directories import Place, filled
from tests.conformance.interference import Beside
from tests.conformance.normalize import hours, normal
from tests.conformance.scenario import Files, Outcome, Said, Scenario, State, Step
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
    _starts: dict[tuple[Files, str], State] = field(default_factory=dict)

    def play(self, scenario: Scenario, tool: Tool) -> tuple[Seen, ...]:
        """Run a scenario from its start."""
        self.begin(scenario)
        first = self._start(scenario) if scenario.generated else None
        return tuple(self.do(step, tool, first) for step in scenario.steps)

    def begin(self, scenario: Scenario) -> None:
        """Bring files and database to where a scenario starts."""
        if not (scenario.generated and self.place.has(scenario.files)):
            self.place.lay(scenario.files)
        prepare(self.stage, scenario.files, scenario.start, scenario.sql)

    def _start(self, scenario: Scenario) -> State:
        """Look once only at a start that many scenarios share."""
        shared = (scenario.files, scenario.start)
        if shared not in self._starts:
            self._starts[shared] = self.stage.state()
        return self._starts[shared]

    def do(self, step: Step, tool: Tool, before: State | None = None) -> Seen:
        """Do one step; `before` is the database's state, where it is known."""
        self.place.put(step.files)
        if step.sql:
            self.stage.run(step.sql)
        before, files = before or self.stage.state(), self.place.listing()
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
