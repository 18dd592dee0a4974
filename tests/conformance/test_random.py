"""
Random folders and commands: both tools on twin databases are compared after each step.

`RUNG_TEST_EXAMPLES` tries that many examples, new ones each time, in place of the fixed ones.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from tests.conformance.environments import theatre
from tests.conformance.pairs import Twins
from tests.conformance.sequences import stories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conformance.runner import Theatre
    from tests.conformance.tools import Process, Tool

_STORIES = {"postgres": stories(own=True), "sqlite3": stories(own=False)}
_MORE = os.environ.get("RUNG_TEST_EXAMPLES")


@pytest.fixture
def twins(
    theatres: Callable[[str], Theatre],
    request: pytest.FixtureRequest,
    our_tool: Tool,
    their_tool: Process,
    scheme: str,
) -> Iterator[Twins]:
    """Give both tools a database each."""
    with ExitStack() as stack:
        server = None if scheme == "sqlite3" else request.getfixturevalue("server")
        other = stack.enter_context(theatre(scheme, server, twin="_twin"))
        yield Twins((other, their_tool), (theatres(scheme), our_tool), note)


@pytest.mark.oracle
@pytest.mark.parametrize("scheme", ["postgres", "sqlite3"])
@settings(
    deadline=None,
    derandomize=_MORE is None,
    max_examples=int(_MORE or 40),
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_both_tools_go_the_same_way(twins: Twins, data: st.DataObject, scheme: str) -> None:
    """Each step is equal, or better as listed; after that both databases are alike."""
    twins.live(data.draw(_STORIES[scheme]))
