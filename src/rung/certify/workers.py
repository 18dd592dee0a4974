"""
The processes in which faults are made: each with databases of its own on the shared server.

They are started afresh and have one thread, so that they may fork; what they need to know
comes to them as values.
"""

from __future__ import annotations

import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple

from rung.certify.experiment import find_out, make, time_child
from rung.certify.invariants import judge
from rung.certify.lab import Lab
from rung.certify.results import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rung.certify.clients import Client
    from rung.certify.facts import Facts, Way
    from rung.certify.faults import Fault, Run
    from rung.certify.invariants import Violation
    from rung.certify.ways import Known

_BATCH = 6
"""Faults that a process makes before it reports."""


class Setting(NamedTuple):
    """All that a process has to know."""

    host: str
    port: int
    known: tuple[Known, ...]
    client: Client
    judge: Callable[[Way, Facts], tuple[Violation, ...]] = judge


@dataclass(slots=True)
class Worker:
    """Makes one fault after another."""

    setting: Setting
    lab: Lab
    _seconds: dict[Run, float] = field(default_factory=dict)

    def attempt(self, fault: Fault) -> Trial:
        """Make a fault in a database of its own, and judge what it left."""
        known = next(one for one in self.setting.known if one.run == fault.run)
        client = self.setting.client
        seconds = self._undisturbed(known)
        with self.lab.fresh(known.template) as address:
            made = make(fault, address, client, seconds)
            facts = find_out(self.lab, address, client, fault, made.said)
        violations = self.setting.judge(known.way, facts)
        return Trial(fault, made.injected, facts.left.ledger.dirty, facts.tried, violations)

    def _undisturbed(self, known: Known) -> float:
        """Seconds of the run in a process of its own, measured once, when all is loaded."""
        if known.run not in self._seconds:
            client, template = self.setting.client, known.template
            with self.lab.fresh(template) as address:
                client.run(address, known.run)
            with self.lab.fresh(template) as address:
                self._seconds[known.run] = time_child(address, client, known.run)
        return self._seconds[known.run]


def work(setting: Setting, faults: Sequence[Fault], processes: int) -> Iterator[Trial]:
    """
    Make faults in several processes at once.

    Yields:
        Each result as it comes, in no order.
    """
    batches = [faults[at : at + _BATCH] for at in range(0, len(faults), _BATCH)]
    numbers = get_context("spawn").Value("i", 0)
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (setting, numbers)) as pool:
        try:
            for done in as_completed([pool.submit(_attempt_all, batch) for batch in batches]):
                yield from done.result()
        finally:
            pool.shutdown(cancel_futures=True)


_here: list[Worker] = []
"""The worker of this process; set once, at its start."""


def _begin(setting: Setting, numbers: object) -> None:
    """Make this process a worker. Ctrl-C is heard by the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with numbers.get_lock():  # type: ignore[attr-defined]
        numbers.value += 1  # type: ignore[attr-defined]
        mine = numbers.value  # type: ignore[attr-defined]
    _here[:] = [Worker(setting, Lab(setting.host, setting.port, f"fault_{mine}"))]


def _attempt_all(faults: Sequence[Fault]) -> list[Trial]:
    return [_here[0].attempt(fault) for fault in faults]
