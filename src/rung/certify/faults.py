"""
The kinds of fault, and the choice of faults for a certification, as values. Pure.

A fault is a kind and a point: the number of the message at which a connection is cut, or a
share of the time (or disk space) that the undisturbed run takes. The same seed draws the same
faults, so a fault that found a violation can be injected again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_OVER = 1.05
"""Instants are drawn up to shortly after the end of the undisturbed run."""
_RARE = 100
"""One fault of this many is of each kind that takes seconds: see `RARE`."""
_MOST_RARE = 12
_KILLS = 4
"""At least one fault of this many kills the process."""


class FaultKind(Enum):
    """The kinds of fault."""

    CUT_BEFORE = "connection cut before the client's message"
    """The server never sees the message."""
    CUT_AFTER = "connection cut after the client's message"
    """The server receives the message; its answer is lost."""
    CUT_ANSWER = "connection cut before the server's message"
    """The answer is lost from this message on."""
    KILL = "process killed (SIGKILL)"
    FREEZE = "network frozen, then process killed"
    """From this message on nothing passes in either direction; the process is killed."""
    PAUSE = "network frozen while stopped, then passing"
    """From this message on nothing passes; the run is cancelled; then everything passes again."""
    CRASH = "server killed (SIGKILL), started again"
    DISK = "disk of the server full"

    @property
    def cuts(self) -> bool:
        """Report whether its points are messages, each of which is tried once."""
        return self in CUTS

    @property
    def at_message(self) -> bool:
        """Report whether its point is the number of a message."""
        return self.cuts or self in (FaultKind.FREEZE, FaultKind.PAUSE)


CUTS = (FaultKind.CUT_BEFORE, FaultKind.CUT_AFTER, FaultKind.CUT_ANSWER)
RARE = (FaultKind.FREEZE, FaultKind.PAUSE, FaultKind.CRASH, FaultKind.DISK)
"""Kinds that take seconds each."""


class Run(NamedTuple):
    """The migrations of a folder, all up or all down."""

    name: str
    source: str
    direction: str

    def __str__(self) -> str:
        return f"{self.name}, {self.direction}"


class Points(NamedTuple):
    """The number of messages of an undisturbed run, by sender."""

    client: int
    server: int


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """
    One fault in one run.

    Args:
        point: the message's number from 1, or a share of the undisturbed run.
    """

    run: Run
    kind: FaultKind
    point: float

    def __str__(self) -> str:
        at = f"message {self.point:.0f}" if self.kind.at_message else f"{self.point:.4f} of it"
        return f"{self.run}: {self.kind.value}, at {at}"


def draw(
    points: Mapping[Run, Points], total: int, seed: int, without: Collection[FaultKind] = ()
) -> tuple[InjectedFault, ...]:
    """
    Draw the faults of a certification, in the order of their injection.

    One fault in a hundred, and at most twelve, is of each slow kind; at least a quarter kill the
    process at random instants. Every cut point of every run occurs once; if there are too many,
    an evenly spread selection of them.

    Args:
        points: the number of messages of each run.
        total: the number of faults.
        seed: of the random numbers.
        without: kinds that cannot be injected on this machine.
    """
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    runs, kinds = tuple(points), _rare(without)
    slow = [
        _draw_one(runs[number % len(runs)], kind, points, chance)
        for kind in kinds
        for number in range(_each(total))
    ][:total]
    room = max(total - len(slow) - total // _KILLS, 0)
    every = tuple(_cuts(points))
    few = min(room, len(every))
    cuts = tuple(every[number * len(every) // few] for number in range(few))
    left = range(total - len(cuts) - len(slow))
    kills = (_draw_one(runs[number % len(runs)], FaultKind.KILL, points, chance) for number in left)
    return (*slow, *cuts, *kills)


def faults_for_all_cuts(points: Mapping[Run, Points], without: Collection[FaultKind] = ()) -> int:
    """Return the least number of faults that includes every cut point."""
    cuts = total = sum(1 for _ in _cuts(points))
    while total - len(_rare(without)) * _each(total) - total // _KILLS < cuts:
        total += 1
    return total


def _rare(without: Collection[FaultKind]) -> list[FaultKind]:
    return [kind for kind in RARE if kind not in without]


def _each(total: int) -> int:
    return min(max(total // _RARE, 1), _MOST_RARE)


def _cuts(points: Mapping[Run, Points]) -> Iterator[InjectedFault]:
    for run, many in points.items():
        for kind in CUTS:
            last = many.server if kind is FaultKind.CUT_ANSWER else many.client
            yield from (InjectedFault(run, kind, number) for number in range(1, last + 1))


def _draw_one(
    run: Run, kind: FaultKind, points: Mapping[Run, Points], chance: random.Random
) -> InjectedFault:
    if kind.at_message:
        return InjectedFault(run, kind, chance.randint(2, max(points[run].client, 2)))
    return InjectedFault(run, kind, chance.random() * (1 if kind is FaultKind.DISK else _OVER))
