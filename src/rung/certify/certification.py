"""The front door: `certify` starts the server, learns what is undisturbed, makes the faults."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

from rung.certify import servers
from rung.certify.clients import Rung
from rung.certify.faults import Kind, draw
from rung.certify.lab import Lab
from rung.certify.results import Certificate, add_up
from rung.certify.ways import learn
from rung.certify.workers import Setting, work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rung.certify.results import Trial
    from rung.certify.ways import Known
    from rung.embedded import EmbeddedServer

FAULTS = 300
_MOST_PROCESSES = 4


def certify(
    sources: Mapping[str, str],
    faults: int = FAULTS,
    seed: int | None = None,
    *,
    say: Callable[[str], None] = lambda _: None,
    tell: Callable[[Trial, int, int], None] = lambda *_: None,
) -> Certificate:
    """
    Run migrations under faults on a throw-away server, and judge what each leaves.

    Args:
        sources: folders, or `package:NAME`, by the name that the report gives them.
        faults: how many; see `faults.draw` for which.
        seed: of what is random; None for one drawn now.
        say: told in sentences what is done.
        tell: told each result, how many there are by now, and how many there will be.

    Raises:
        NotCertifiable: the migrations do not run undisturbed.
        SourceError: they cannot be read.
        EmbeddedError: no PostgreSQL server can be started.
    """
    from rung.embedded import start

    began = time.perf_counter()
    chosen = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    with start(say=say) as server:
        say(f"PostgreSQL {server.version} runs; it and its data end with this command")
        known, left_out = _learn_all(server, sources, say)
        without = servers.no_small_disk()
        left_out = (*left_out, *([without] if without else []))
        points = {one.run: one.points for one in known}
        wanted = draw(points, faults, chosen, {Kind.DISK} if without else ())
        setting = Setting(str(server.socket_dir), server.port, known, Rung())
        trials = []
        for trial in work(setting, wanted, _processes()):
            trials.append(trial)
            tell(trial, len(trials), len(wanted))
    counts, findings = add_up(trials)
    seconds = time.perf_counter() - began
    return Certificate(counts, findings, left_out, chosen, seconds, server.version)


def _learn_all(
    server: EmbeddedServer, sources: Mapping[str, str], say: Callable[[str], None]
) -> tuple[tuple[Known, ...], tuple[str, ...]]:
    known: list[Known] = []
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
    """One more than there are processors: much of the time is spent waiting."""
    return min((os.cpu_count() or 1) + 1, _MOST_PROCESSES)
