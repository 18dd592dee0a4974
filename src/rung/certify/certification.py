"""
The front door: `certify` starts the server, learns what is undisturbed, makes the faults.

What it is made of, a `Bench`, serves the tests too, which disturb another program on it.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.certify import invariants, servers
from rung.certify.baseline import learn
from rung.certify.faults import Kind, draw, enough
from rung.certify.pool import Setting, work
from rung.certify.results import Certificate, add_up
from rung.certify.subjects import Rung
from rung.certify.test_databases import Lab
from rung.embedded import start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rung.certify.baseline import Baseline
    from rung.certify.faults import InjectedFault
    from rung.certify.invariants import Violation
    from rung.certify.observations import Facts, Way
    from rung.certify.results import Trial
    from rung.certify.subjects import Client
    from rung.embedded import EmbeddedServer

_MOST_PROCESSES = 6
_SEEDS = 1_000_000


@dataclass(frozen=True, slots=True)
class LearnedRuns:
    """
    A server to disturb runs on, and what undisturbed ones do.

    Args:
        server: thrown away at the end.
        known: each run.
        left_out: what cannot be done here, in sentences.
        without: the kinds of fault that cannot be made here.
    """

    server: EmbeddedServer
    known: tuple[Baseline, ...]
    left_out: tuple[str, ...]
    without: frozenset[Kind]

    def draw(self, total: int | None, seed: int, least: int = 0) -> tuple[InjectedFault, ...]:
        """The faults to make; where `total` is None all cut points, and so many at least."""
        points = {one.run: one.points for one in self.known}
        wanted = max(enough(points, self.without), least) if total is None else total
        return draw(points, wanted, seed, self.without)

    def make(
        self,
        faults: Sequence[InjectedFault],
        client: Client,
        judge: Callable[[Way, Facts], tuple[Violation, ...]],
        processes: int | None = None,
    ) -> Iterator[Trial]:
        """Make faults in so many processes, or what this machine takes; each result as it comes."""
        setting = Setting(str(self.server.socket_dir), self.server.port, self.known, client, judge)
        return work(setting, faults, processes or _processes())


@contextmanager
def bench(sources: Mapping[str, str], say: Callable[[str], None]) -> Iterator[LearnedRuns]:
    """
    Start a server, and learn what undisturbed runs do.

    Args:
        sources: folders, or `package:NAME`, by the name that the report gives them.
        say: told in sentences what is done.
    """
    with start(say=say) as server:
        say(f"PostgreSQL {server.version} runs; it and its data end with this command")
        known, left_out = _learn_all(server, sources, say)
        disk = servers.no_small_disk()
        told = (*left_out, *([disk] if disk else []))
        yield LearnedRuns(server, known, told, frozenset({Kind.DISK} if disk else ()))


def certify(
    sources: Mapping[str, str],
    faults: int | None = None,
    seed: int | None = None,
    *,
    say: Callable[[str], None] = lambda _: None,
    tell: Callable[[Trial, int, int], None] = lambda *_: None,
) -> Certificate:
    """
    Run migrations under faults on a throw-away server, and judge what each leaves.

    Args:
        sources: folders, or `package:NAME`, by the name that the report gives them.
        faults: how many; None for so many that every cut point is among them.
        seed: of what is random; None for one drawn now.
        say: told in sentences what is done.
        tell: told each result, how many there are by now, and how many there will be.

    Raises:
        NotCertifiable: the migrations do not run undisturbed.
        SourceError: they cannot be read.
        EmbeddedError: no PostgreSQL server can be started.
    """
    began = time.perf_counter()
    chosen = random.SystemRandom().randrange(_SEEDS) if seed is None else seed
    with bench(sources, say) as made:
        wanted = made.draw(faults, chosen)
        trials: list[Trial] = []
        for trial in made.make(wanted, Rung(), invariants.judge):
            trials.append(trial)
            tell(trial, len(trials), len(wanted))
    seconds = time.perf_counter() - began
    return Certificate(*add_up(trials), made.left_out, chosen, seconds, made.server.version)


def _learn_all(
    server: EmbeddedServer, sources: Mapping[str, str], say: Callable[[str], None]
) -> tuple[tuple[Baseline, ...], tuple[str, ...]]:
    known: list[Baseline] = []
    left_out: list[str] = []
    for number, (name, source) in enumerate(sources.items(), 1):
        say(f"{name}: the undisturbed run")
        lab = Lab.of(server, f"undisturbed_{number}")
        try:
            learned, missing = learn(lab, name, source)
        finally:
            lab.close()
        known += learned
        left_out += [missing] if missing else []
    return tuple(known), tuple(left_out)


def _processes() -> int:
    """Two more than there are processors: much of the time is spent waiting."""
    return min((os.cpu_count() or 1) + 2, _MOST_PROCESSES)
