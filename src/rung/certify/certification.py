"""
Certify migrations: start a server, record undisturbed runs, inject faults.

The tests use `LearnedRuns` too, to disturb another program.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.certify import faulty_servers, invariants
from rung.certify.baseline import learn
from rung.certify.faults import FaultKind, draw, faults_for_all_cuts
from rung.certify.pool import PoolSettings, work
from rung.certify.results import Certificate, add_up
from rung.certify.subjects import Rung
from rung.certify.test_databases import FaultDatabases
from rung.embedded import start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rung.certify.baseline import Baseline
    from rung.certify.faults import InjectedFault
    from rung.certify.invariants import Violation
    from rung.certify.observations import FaultFacts, UndisturbedRun
    from rung.certify.results import FaultResult
    from rung.certify.subjects import Client
    from rung.embedded import EmbeddedServer

_MOST_PROCESSES = 6
_SEEDS = 1_000_000


@dataclass(frozen=True, slots=True)
class LearnedRuns:
    """
    A server for disturbed runs, and the baselines of undisturbed ones.

    Args:
        server: a disposable server.
        known: a baseline for each run.
        left_out: what cannot be done on this machine, in sentences.
        without: the kinds of fault that cannot be injected on this machine.
    """

    server: EmbeddedServer
    baselines: tuple[Baseline, ...]
    left_out: tuple[str, ...]
    without: frozenset[FaultKind]

    def draw(self, total: int | None, seed: int, least: int = 0) -> tuple[InjectedFault, ...]:
        """Draw the faults; if `total` is None, every cut point and at least `least` faults."""
        points = {one.run: one.points for one in self.baselines}
        expected = max(faults_for_all_cuts(points, self.without), least) if total is None else total
        return draw(points, expected, seed, self.without)

    def inject(
        self,
        faults: Sequence[InjectedFault],
        client: Client,
        judge: Callable[[UndisturbedRun, FaultFacts], tuple[Violation, ...]],
        processes: int | None = None,
    ) -> Iterator[FaultResult]:
        """Inject faults in several processes, and yield each result when it is known."""
        settings = PoolSettings(
            str(self.server.socket_dir), self.server.port, self.baselines, client, judge
        )
        if processes is None:
            # Much of the time is spent waiting: two processes more than there are processors.
            processes = min((os.cpu_count() or 1) + 2, _MOST_PROCESSES)
        return work(settings, faults, processes)


@contextmanager
def bench(sources: Mapping[str, str], say: Callable[[str], None]) -> Iterator[LearnedRuns]:
    """
    Start a server, and record undisturbed runs.

    Args:
        sources: folders, or `package:NAME`, by their names in the report.
        say: receives sentences on the progress.
    """
    with start(say=say) as server:
        say(f"PostgreSQL {server.version} runs; it and its data end with this command")
        baselines, left_out = _learn_all(server, sources, say)
        disk = faulty_servers.why_no_small_disk()
        yield LearnedRuns(
            server,
            baselines,
            (*left_out, *([disk] if disk else [])),
            frozenset({FaultKind.DISK} if disk else ()),
        )


def certify(
    sources: Mapping[str, str],
    faults: int | None = None,
    seed: int | None = None,
    *,
    say: Callable[[str], None] = lambda _: None,
    tell: Callable[[FaultResult, int, int], None] = lambda *_: None,
) -> Certificate:
    """
    Run migrations under faults on a disposable server, and check what each fault leaves.

    Args:
        sources: folders, or `package:NAME`, by their names in the report.
        faults: the number of faults; None for as many as include every cut point.
        seed: of the random numbers; None to choose one.
        say: receives sentences on the progress.
        tell: receives each result, the number of results so far, and the total.

    Raises:
        NotCertifiable: the migrations do not run without faults.
        SourceError: they cannot be read.
        EmbeddedError: no PostgreSQL server can be started.
    """
    began = time.perf_counter()
    chosen = random.SystemRandom().randrange(_SEEDS) if seed is None else seed
    with bench(sources, say) as learned:
        drawn = learned.draw(faults, chosen)
        results: list[FaultResult] = []
        for result in learned.inject(drawn, Rung(), invariants.judge):
            results.append(result)
            tell(result, len(results), len(drawn))
    seconds = time.perf_counter() - began
    return Certificate(*add_up(results), learned.left_out, chosen, seconds, learned.server.version)


def _learn_all(
    server: EmbeddedServer, sources: Mapping[str, str], say: Callable[[str], None]
) -> tuple[tuple[Baseline, ...], tuple[str, ...]]:
    baselines: list[Baseline] = []
    left_out: list[str] = []
    for number, (name, source) in enumerate(sources.items(), 1):
        say(f"{name}: run without faults")
        lab = FaultDatabases.of(server, f"undisturbed_{number}")
        try:
            learned, missing = learn(lab, name, source)
        finally:
            lab.close()
        baselines += learned
        left_out += [missing] if missing else []
    return tuple(baselines), tuple(left_out)
