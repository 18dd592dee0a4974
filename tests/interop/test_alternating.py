"""The tools take turns on one database, command by command, as if there were only one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from tests.interop.folders import write_chat
from tests.interop.turns import Course, draw_obstacle, draw_turn
from tests.interop.twin_databases import state

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site
    from tests.interop.conftest import Make
    from tests.interop.tools import Ended
    from tests.interop.turns import Turn
    from tests.servers import Database

pytestmark = pytest.mark.oracle

_TURNS = 12


def _play(make: Make, turn: Turn) -> Ended:
    return make(turn.tool).having(scheme=turn.scheme).run(*turn.words)


@pytest.mark.parametrize("seed", range(14))
def test_any_of_them_continues(site: Site, twin_database: Database, make: Make, seed: int) -> None:
    """After each command ledger, schema and data are those of a twin with golang-migrate alone."""
    write_chat(site)
    alone = make("real").having(url=f"{twin_database.url}&sslmode=disable")
    draw, course = random.Random(seed), Course()
    for _ in range(_TURNS):
        turn = draw_turn(draw, course)
        ended, expected = _play(make, turn), alone.run(*turn.words)
        course.take(turn)

        assert state(site.database) == state(twin_database), (turn, ended, expected)
        assert state(twin_database).ledger == course.rows, (turn, ended, expected)
        assert turn.tool == "rung" or ended.code == expected.code, (turn, ended, expected)


@pytest.mark.parametrize("seed", range(100, 108))
def test_whoever_fails(site: Site, twin_database: Database, make: Make, seed: int) -> None:
    """The same where files fail; after Rung's failure the twin is repaired as a person would."""
    write_chat(site)
    alone = make("real").having(url=f"{twin_database.url}&sslmode=disable")
    draw, course = random.Random(seed), Course()
    for _ in range(_TURNS):
        if sql := draw_obstacle(draw, course):
            site.ask(sql)
            twin_database.psql(sql)
        turn = draw_turn(draw, course)
        ended, expected = _play(make, turn), alone.run(*turn.words)
        if course.take(turn) and turn.is_ours:
            assert alone.run("force", str(course.ledger)).code == 0

        assert state(site.database) == state(twin_database), (turn, ended, expected)
        assert state(twin_database).ledger == course.rows, (turn, ended, expected)
        assert turn.tool == "rung" or ended.code == expected.code, (turn, ended, expected)
