"""
What golang-migrate did, kept in files: one for each scheme, sorted, each thing told once.

A file names the binary and the server that it was made with. Outcomes and states are kept under
the start of their digest, so that many scenarios with one outcome take little room; a line is
one of them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.scenario import Outcome, Said, Scenario, State

Outcomes = dict[str, tuple[str, tuple[Outcome, ...]]]
"""Of each scenario its digest and the outcome of each step."""
RECORDED = Path(__file__).parent / "recorded"


class Stale(Exception):
    """A recording does not hold a scenario as it is written now; record it again."""


@dataclass(slots=True)
class Recording:
    """
    The outcomes of one scheme.

    Attributes:
        binary: golang-migrate's version.
        server: the database's version.
        outcomes: of each scenario its digest and the outcome of each step.
    """

    binary: str
    server: str
    outcomes: Outcomes = field(default_factory=dict)

    def keep(self, scenario: Scenario, outcomes: tuple[Outcome, ...]) -> None:
        """Keep what came of a scenario."""
        self.outcomes[scenario.id] = (scenario.digest, outcomes)

    def of(self, scenario: Scenario) -> tuple[Outcome, ...]:
        """
        Give what came of a scenario.

        Raises:
            Stale: it is not there, or was another when it was recorded.
        """
        digest, outcomes = self.outcomes.get(scenario.id, ("", ()))
        if digest != scenario.digest:
            raise Stale(f"{scenario.id} is not in the recording as it is now")
        return outcomes


def path(scheme: str) -> Path:
    """Say where the recording of a scheme is."""
    return RECORDED / f"{scheme}.json"


def load(scheme: str) -> Recording:
    """
    Read the recording of a scheme.

    Raises:
        FileNotFoundError: there is none.
    """
    held = json.loads(path(scheme).read_text())
    states = {key: _state(each) for key, each in held["states"].items()}
    outcomes = {key: _outcome(each, states) for key, each in held["outcomes"].items()}
    recording = Recording(held["golang-migrate"], held["server"])
    for name, (digest, *keys) in held["scenarios"].items():
        recording.outcomes[name] = (digest, tuple(outcomes[key] for key in keys))
    return recording


def save(scheme: str, recording: Recording) -> None:
    """Write the recording of a scheme."""
    path(scheme).write_text(text(recording))


def text(recording: Recording) -> str:
    """Write a recording as sorted text, one line for each thing."""
    states: dict[str, Any] = {}
    outcomes: dict[str, Any] = {}
    scenarios = {}
    for name, (digest, steps) in recording.outcomes.items():
        keys = [
            _keep(outcomes, _as_json(step, _keep(states, _plain(step.state)))) for step in steps
        ]
        scenarios[name] = [digest, *keys]
    parts = {"scenarios": scenarios, "outcomes": outcomes, "states": states}
    told = [_lines(name, held) for name, held in parts.items()]
    head = f'"golang-migrate": {json.dumps(recording.binary)},\n"server": "{recording.server}"'
    return "{\n" + ",\n".join([head, *told]) + "\n}\n"


def _lines(name: str, held: dict[str, Any]) -> str:
    lines = (
        f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(held[key], ensure_ascii=False)}"
        for key in sorted(held)
    )
    return f'"{name}": {{\n' + ",\n".join(lines) + "\n}"


def _keep(known: dict[str, Any], value: dict[str, Any]) -> str:
    key = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:10]
    known[key] = value
    return key


def _plain(state: State) -> dict[str, Any]:
    told = {"ledger": state.ledger, "schema": list(state.schema), "data": list(state.data)}
    return {name: value for name, value in told.items() if value}


def _as_json(outcome: Outcome, state: str) -> dict[str, Any]:
    said = outcome.said
    told = {"stderr": said.stderr, "stdout": said.stdout, "made": list(outcome.made)}
    return {"exit": said.exit, **{k: v for k, v in told.items() if v}, "state": state}


def _state(held: dict[str, Any]) -> State:
    return State(held["ledger"], tuple(held.get("schema", ())), tuple(held.get("data", ())))


def _outcome(held: dict[str, Any], states: dict[str, State]) -> Outcome:
    said = Said(held["exit"], held.get("stderr", ""), held.get("stdout", ""))
    return Outcome(said, states[held["state"]], tuple(held.get("made", ())))
