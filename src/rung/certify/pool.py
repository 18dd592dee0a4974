"""
Inject faults in several processes, each with databases of its own on a shared server.

The processes are spawned and have one thread, so that they may fork. They receive their settings
as values.
"""

from __future__ import annotations

import signal
import traceback
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, NamedTuple

from rung.certify import faulty_servers
from rung.certify.baseline import EMPTY, UP
from rung.certify.faults import FaultKind
from rung.certify.inject import collect_facts, inject, time_child
from rung.certify.invariants import judge
from rung.certify.results import FaultResult
from rung.certify.subjects import Rung
from rung.certify.test_databases import FaultDatabases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.context import SpawnProcess

    from rung.certify.baseline import Baseline
    from rung.certify.faults import InjectedFault, Run
    from rung.certify.invariants import Violation
    from rung.certify.observations import FaultFacts, UndisturbedRun
    from rung.certify.subjects import Client

_OF_SERVERS = (FaultKind.CRASH, FaultKind.DISK)


class PoolSettings(NamedTuple):
    """The settings of a worker process."""

    host: str
    port: int
    baselines: tuple[Baseline, ...]
    client: Client
    judge: Callable[[UndisturbedRun, FaultFacts], tuple[Violation, ...]] = judge


@dataclass(slots=True)
class Worker:
    """Injects one fault after another."""

    settings: PoolSettings
    lab: FaultDatabases
    _seconds: dict[Run, float] = field(default_factory=dict)
    _usage: dict[Run, float] = field(default_factory=dict)
    """The seconds or bytes of an undisturbed run on a crashable server."""

    def attempt(self, fault: InjectedFault) -> FaultResult:
        """Inject a fault in a new database, and check what it leaves."""
        baseline = self._baseline_of(fault)
        client = self.settings.client
        seconds = self._measure_undisturbed(baseline)
        with self.lab.fresh(baseline.template) as address:
            injection = inject(fault, address, client, seconds)
            facts = collect_facts(self.lab, address, client, fault, injection.claim)
        return self._judge(fault, baseline, facts, injected=injection.injected)

    def attempt_on_servers(self, faults: Sequence[InjectedFault]) -> Iterator[FaultResult]:
        """Inject faults of the server itself, all of one kind, on one server."""
        kind = faults[0].kind
        place = (
            faulty_servers.small_disk()
            if kind is FaultKind.DISK
            else faulty_servers.temporary_folder()
        )
        with place as folder, faulty_servers.crashable_server(folder, "crashable") as server:
            for fault in faults:
                yield self._attempt_on_server(fault, server)

    def _attempt_on_server(
        self, fault: InjectedFault, server: faulty_servers.CrashableServer
    ) -> FaultResult:
        baseline, client = self._baseline_of(fault), self.settings.client
        if baseline.run not in self._usage:
            if baseline.template != EMPTY:  # the server has no such template yet
                top = server.lab.make(baseline.template)
                Rung().run(top, baseline.run._replace(direction=UP))
            with server.lab.fresh(baseline.template) as address:
                run = partial(client.run, address, baseline.run)
                self._usage[baseline.run] = faulty_servers.measure_usage(server, fault.kind, run)
        disturb = faulty_servers.fill_disk if fault.kind is FaultKind.DISK else faulty_servers.crash
        with server.lab.fresh(baseline.template) as address:
            facts = disturb(fault, server, address, client, self._usage[baseline.run])
        return self._judge(fault, baseline, facts)

    def _baseline_of(self, fault: InjectedFault) -> Baseline:
        return next(one for one in self.settings.baselines if one.run == fault.run)

    def _judge(
        self, fault: InjectedFault, baseline: Baseline, facts: FaultFacts, *, injected: bool = True
    ) -> FaultResult:
        violations = self.settings.judge(baseline.way, facts)
        dirty = facts.left.ledger.dirty
        return FaultResult(fault, injected, dirty, facts.tried, violations, facts.undecided)

    def _measure_undisturbed(self, baseline: Baseline) -> float:
        """Measure once the seconds of the run in a process of its own, after a warm-up."""
        if baseline.run not in self._seconds:
            client, template = self.settings.client, baseline.template
            with self.lab.fresh(template) as address:
                client.run(address, baseline.run)
            with self.lab.fresh(template) as address:
                self._seconds[baseline.run] = time_child(address, client, baseline.run)
        return self._seconds[baseline.run]

    def attempt_all(self, faults: Sequence[InjectedFault]) -> Iterator[FaultResult]:
        """Inject the faults of one batch."""
        if faults[0].kind not in _OF_SERVERS:
            yield from map(self.attempt, faults)
            return
        self._usage.clear()
        yield from self.attempt_on_servers(faults)


class WorkerError(NamedTuple):
    """The traceback of a worker that failed."""

    traceback: str


def work(
    settings: PoolSettings, faults: Sequence[InjectedFault], processes: int
) -> Iterator[FaultResult]:
    """
    Inject faults in several processes at once.

    A worker ends when its pipe is closed, so none outlives this process for long.

    Yields:
        Each result when it is known, in no order.

    Raises:
        RuntimeError: a worker failed by itself: a fault of the harness.
    """
    # Faults of the server come first, a batch for each kind: they take longest.
    of_servers = [[fault for fault in faults if fault.kind is kind] for kind in _OF_SERVERS]
    others = [[fault] for fault in faults if fault.kind not in _OF_SERVERS]
    batches = deque([*filter(None, of_servers), *others])
    workers = [_start_worker(settings, number) for number in range(min(processes, len(batches)))]
    busy = [pipe for pipe, _ in workers]
    try:
        for pipe in busy:
            pipe.send(batches.popleft())
        for pipe, result in _receive_results(busy):
            if result is not None:
                yield result
            elif batches:
                pipe.send(batches.popleft())
            else:
                busy.remove(pipe)
    finally:
        for pipe, _ in workers:
            pipe.close()
        for _, process in workers:
            process.join()


def _receive_results(busy: list[Connection]) -> Iterator[tuple[Connection, FaultResult | None]]:
    """Yield the results of the workers while any is busy; None from one that is idle."""
    while busy:
        ready = wait(busy)
        for pipe in [one for one in busy if one in ready]:
            result = pipe.recv()
            if isinstance(result, WorkerError):
                raise RuntimeError(result.traceback)  # noqa: TRY004 - the worker's error
            yield pipe, result


def _start_worker(settings: PoolSettings, number: int) -> tuple[Connection, SpawnProcess]:
    context = get_context("spawn")
    pipe, worker_end = context.Pipe()
    process = context.Process(target=_serve, args=(worker_end, settings, number))
    process.start()
    worker_end.close()
    return pipe, process


def _serve(pipe: Connection, settings: PoolSettings, number: int) -> None:
    """Serve batches until the pipe is closed. Ctrl-C is handled by the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(settings, FaultDatabases(settings.host, settings.port, f"fault_{number}"))
    with suppress(EOFError, ConnectionError):
        while True:
            faults = pipe.recv()
            try:
                for trial in worker.attempt_all(faults):
                    pipe.send(trial)
            except ConnectionError:
                raise
            except Exception:  # noqa: BLE001 - the parent raises it
                pipe.send(WorkerError(traceback.format_exc()))
                return
            pipe.send(None)
