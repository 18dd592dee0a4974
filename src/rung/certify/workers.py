"""
The processes in which faults are made: each with databases of its own on the shared server.

They are started afresh and have one thread, so that they may fork; what they need to know
comes to them as values.
"""

from __future__ import annotations

import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple

from rung.certify import servers
from rung.certify.clients import Rung
from rung.certify.experiment import find_out, make, time_child
from rung.certify.faults import Kind
from rung.certify.invariants import judge
from rung.certify.lab import Lab
from rung.certify.results import Trial
from rung.certify.ways import EMPTY, UP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rung.certify.clients import Client
    from rung.certify.facts import Facts, Way
    from rung.certify.faults import Fault, Run
    from rung.certify.invariants import Violation
    from rung.certify.ways import Known

_BATCH = 6
"""Faults that a process makes before it reports."""
_ON_SERVERS = (Kind.CRASH, Kind.DISK)


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
    _measured: dict[Run, float] = field(default_factory=dict)
    """Seconds or bytes of a run on the server of its own that is disturbed."""

    def attempt(self, fault: Fault) -> Trial:
        """Make a fault in a database of its own, and judge what it left."""
        known = self._known(fault)
        client = self.setting.client
        seconds = self._undisturbed(known)
        with self.lab.fresh(known.template) as address:
            made = make(fault, address, client, seconds)
            facts = find_out(self.lab, address, client, fault, made.said)
        return self._judged(fault, known, facts, injected=made.injected)

    def attempt_on_servers(self, faults: Sequence[Fault]) -> Iterator[Trial]:
        """Make faults of the server itself, all of one kind, on one server of their own."""
        kind = faults[0].kind
        place = servers.a_small_disk() if kind is Kind.DISK else servers.a_folder()
        with place as folder, servers.frail(folder, "frail") as server:
            for fault in faults:
                yield self._on_server(fault, server)

    def _on_server(self, fault: Fault, server: servers.Frail) -> Trial:
        known, client = self._known(fault), self.setting.client
        if known.run not in self._measured:
            self._begin_at(server, known)
            with server.lab.fresh(known.template) as address:
                run = partial(client.run, address, known.run)
                self._measured[known.run] = servers.measured(server, fault.kind, run)
        disturb = servers.fill if fault.kind is Kind.DISK else servers.crash
        with server.lab.fresh(known.template) as address:
            facts = disturb(fault, server, address, client, self._measured[known.run])
        return self._judged(fault, known, facts)

    def _begin_at(self, server: servers.Frail, known: Known) -> None:
        """Make the database from which a run begins, where it is none that is always there."""
        if known.template != EMPTY:
            top = server.lab.make(known.template)
            Rung().run(top, known.run._replace(direction=UP))

    def _known(self, fault: Fault) -> Known:
        return next(one for one in self.setting.known if one.run == fault.run)

    def _judged(self, fault: Fault, known: Known, facts: Facts, *, injected: bool = True) -> Trial:
        found = self.setting.judge(known.way, facts)
        return Trial(fault, injected, facts.left.ledger.dirty, facts.tried, found)

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
    batches = _batches(faults)
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
    worker = _here[0]
    if faults[0].kind in _ON_SERVERS:
        worker = Worker(worker.setting, worker.lab)
        return list(worker.attempt_on_servers(faults))
    return [worker.attempt(fault) for fault in faults]


def _batches(faults: Sequence[Fault]) -> list[Sequence[Fault]]:
    """Faults of the server at once, first, for they take longest; the others a few at a time."""
    own = [[fault for fault in faults if fault.kind is kind] for kind in _ON_SERVERS]
    rest = [fault for fault in faults if fault.kind not in _ON_SERVERS]
    few = [rest[at : at + _BATCH] for at in range(0, len(rest), _BATCH)]
    return [*(batch for batch in own if batch), *few]
