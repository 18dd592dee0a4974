"""All scenarios: those written by hand, and the generated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.reading import written_by_hand

if TYPE_CHECKING:
    from tests.conformance.scenario import Scenario


def scenarios(scheme: str) -> tuple[Scenario, ...]:
    """Give the scenarios of a scheme."""
    return tuple(each for each in written_by_hand() if scheme in each.schemes)
