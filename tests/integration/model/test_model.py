"""
Random folders and histories: what Rung does is what a small model of the rules says.

`RUNG_TEST_EXAMPLES` tries that many examples, new ones each time, in place of the fixed ones.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from tests.integration.model.draws import command, opening
from tests.integration.model.model import Model
from tests.integration.model.real import Facts, Real
from tests.integration.model.stories import STORIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.model.commands import Command
    from tests.servers import Database

_MORE = os.environ.get("RUNG_TEST_EXAMPLES")
_DONE_IN_PART = "MigrationFailed"


@pytest.fixture
def real(database: Database, tmp_path: Path) -> Iterator[Real]:
    """One database and one folder for all examples."""
    with database.connect() as connection:
        yield Real(connection, database.conninfo, tmp_path / "migrations")


@settings(
    deadline=None,
    derandomize=_MORE is None,
    max_examples=int(_MORE or 60),
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), length=st.integers(1, 20))
def test_rung_does_what_the_rules_say(real: Real, data: st.DataObject, length: int) -> None:
    """Files come, go and change, two tools run: each outcome is the model's, and so is the end."""
    both = Both(real, note, foreign=data.draw(st.sampled_from([False] * 9 + [True])))
    for first in data.draw(opening()):
        both.obey(first)
    for _ in range(length):
        both.obey(data.draw(command(both.model)))
    both.assert_same_states()


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_what_chance_seldom_finds(real: Real, story: tuple[Command, ...]) -> None:
    """A few short stories, held to the same model."""
    both = Both(real, print)
    for told in story:
        both.obey(told)


class Both:
    """The model and the real side, which obey the same commands and are compared after each."""

    def __init__(self, real: Real, tell: Callable[[str], None], *, foreign: bool = False) -> None:
        self.model, self._real, self._tell = Model(foreign), real, tell
        self._facts = real.begin(foreign=foreign)

    def obey(self, told: Command) -> None:
        """Do it on both sides; a refusal changes nothing at all."""
        expected, outcome = self.model.obey(told), self._real.obey(told)
        before, self._facts = self._facts, self._real.facts()
        self._tell(f"{told}\n    {outcome}")
        self._tell(f"    ledger {self._facts.ledger}, applied {self._facts.applied or '{}'}")

        assert outcome == expected
        assert_same(self.model, self._facts)
        if outcome.error and outcome.error != _DONE_IN_PART:
            assert self._facts == before
        if self._facts != before:
            self.assert_same_states()

    def assert_same_states(self) -> None:
        """`rung status` tells of each version what the model does, and changes nothing."""
        if not self.model.dirty:
            assert self._real.states() == self.model.states()
            assert self._real.facts() == self._facts


def assert_same(model: Model, facts: Facts) -> None:
    """The bodies in their order, the ledger's row, and what the history says is applied."""
    row = -1 if model.ledger is None else model.ledger
    is_empty = model.ledger is None and not model.dirty

    assert facts.ran == model.ran
    assert (facts.ledger or []) == ([] if is_empty else [(row, model.dirty)])
    assert facts.applied == set(model.applied)
