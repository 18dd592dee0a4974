"""
Random turns of the tools on the chat's folder, and where golang-migrate's rules lead. Pure.

Obstacles are things of somebody's that make one half fail for as long as they are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tests.integration.model.commands import Other
from tests.integration.model.golang import moves
from tests.integration.model.texts import Pair, Text
from tests.interop.folders import CHAT

if TYPE_CHECKING:
    import random

TOOLS = ("real", "embedded", "ours", "rung")
_FILES = {
    version: Pair(Text(f"{version} up"), Text(f"{version} down") if down else None)
    for version, (_, down) in CHAT.items()
}
OBSTACLES = {
    "7 up": ("CREATE SEQUENCE messages;", "DROP SEQUENCE messages;"),
    "4 down": ("CREATE VIEW in_the_way AS SELECT joined FROM users;", "DROP VIEW in_the_way;"),
}
"""By the half that fails: the SQL that puts it up, and that takes it away."""


class Turn(NamedTuple):
    """A command, and whose turn it is, with which scheme in the URL."""

    tool: str
    words: tuple[str, ...]
    scheme: str = "postgres"

    @property
    def is_ours(self) -> bool:
        """Whether it is one of Rung's commands."""
        return self.tool in {"ours", "rung"}

    @property
    def goal(self) -> Other:
        """The command for the model."""
        match self.words:
            case ("down", "-all"):
                return Other("down")
            case (verb, number):
                return Other(verb, int(number))
            case (verb, *_):
                return Other(verb)
        raise AssertionError(self)


@dataclass(slots=True)
class Course:
    """Where a database is: what its ledger has to say, and at which version it really is."""

    ledger: int | None = None
    dirty: bool = False
    really: int | None = None
    obstacle: str = ""

    @property
    def rows(self) -> list[tuple[int, bool]]:
        """The ledger's rows."""
        return [] if self.ledger is None else [(self.ledger, self.dirty)]

    def take(self, turn: Turn) -> bool:
        """
        Follow a turn; whether a half failed.

        golang-migrate's ledger is dirty then, at where it was going; after ours it is where
        the failed half began.
        """
        match turn.words:
            case ("force", version):
                self.ledger, self.dirty = int(version), False
                return False
            case ("drop", "-f"):
                self.ledger, self.dirty, self.really = None, False, None
                return False
            case ("version",):
                return False
        for target, text in moves(turn.goal, _FILES, self.ledger, dirty=self.dirty):
            if text is not None and text.body == self.obstacle:
                self.ledger = self.ledger if turn.is_ours else target
                self.dirty = not turn.is_ours
                return True
            self.ledger = self.really = target
        return False


def draw_turn(draw: random.Random, course: Course) -> Turn:
    """Choose the next turn; a dirty ledger is mostly repaired by one of them."""
    number = draw.choice([1, 1, 2, 3, len(CHAT) + 1])
    words: list[tuple[object, ...]] = [("up",), *[("up", number), ("down", number)] * 2]
    words += [("goto", draw.choice([*CHAT, 5]))] * 2
    if draw.random() < 0.25:
        words = [("down", "-all"), ("version",), *([] if course.obstacle else [("drop", "-f")])]
    if course.dirty and draw.random() < 0.7:
        words = [("force", course.really)]
    tool = draw.choice(TOOLS)
    scheme = "postgres" if tool == "embedded" else draw.choice(["postgres", "pgx5"])
    return Turn(tool, tuple(map(str, draw.choice(words))), scheme)


def draw_obstacle(draw: random.Random, course: Course) -> str:
    """What somebody does between two turns: SQL, or nothing."""
    if course.obstacle:
        if course.dirty or draw.random() < 0.6:
            return ""
        sql = OBSTACLES[course.obstacle][1]
        course.obstacle = ""
        return sql
    fitting = "7 up" if (course.really or 0) < 7 else "4 down"
    if course.dirty or draw.random() < 0.4:
        return ""
    course.obstacle = fitting
    return OBSTACLES[fitting][0]
