"""The tools take turns on one database, command by command, as if there were only one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.acceptance.model.commands import Other
from tests.acceptance.model.golang import moves
from tests.acceptance.model.texts import Pair
from tests.sharing.folders import CHAT, write_chat
from tests.sharing.twins import state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.engine.sites import Site
    from tests.servers import Database
    from tests.sharing.conftest import Make

pytestmark = pytest.mark.oracle

_TOOLS = ("real", "embedded", "ours", "rung")
_NUMBERS = {version: Pair(None, None) for version in CHAT}


class Turn(NamedTuple):
    """A command, and whose turn it is."""

    tool: str
    words: tuple[str, ...]

    @property
    def goal(self) -> Other | None:
        """The command for the model; None for one that moves nothing."""
        match self.words:
            case ("down", "-all"):
                return Other("down")
            case (verb, number):
                return Other(verb, int(number))
            case (verb,):
                return Other(verb)
        return None


def _turns(seed: int, count: int = 12) -> Iterator[Turn]:
    draw = random.Random(seed)
    for _ in range(count):
        number = draw.choice([1, 1, 2, 3, len(CHAT) + 1])
        words = [("up",), ("up", number), ("up", number), ("down", number), ("down", number)]
        words += [("goto", draw.choice([*CHAT, 5]))] * 2
        if draw.random() < 0.2:
            words = [("down", "-all")]
        yield Turn(draw.choice(_TOOLS), tuple(map(str, draw.choice(words))))


def _after(turn: Turn, ledger: int | None) -> int | None:
    """Where golang-migrate's own rules lead, whoever follows them."""
    assert turn.goal is not None
    moved = moves(turn.goal, _NUMBERS, ledger, dirty=False)
    return moved[-1].target if moved else ledger


@pytest.mark.parametrize("seed", range(24))
def test_any_of_them_continues(
    site: Site, twin_database: Database, make: Make, seed: int
) -> None:
    """After each command ledger, schema and data are those of a twin with golang-migrate alone."""
    write_chat(site)
    alone = make("real").having(url=f"{twin_database.url}&sslmode=disable")
    ledger: int | None = None
    for turn in _turns(seed):
        ended = make(turn.tool).run(*turn.words)
        expected = alone.run(*turn.words)
        ledger = _after(turn, ledger)

        assert state(site.database) == state(twin_database), (turn, ended, expected)
        assert state(twin_database).ledger == ([] if ledger is None else [(ledger, False)])
        assert turn.tool == "rung" or ended.code == expected.code, (turn, ended, expected)
