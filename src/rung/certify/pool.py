"""
The processes in which faults are made: each with databases of its own on the shared server.

They are started afresh and have one thread, so that they may fork; what they need to know
comes to them as values.
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

from rung.certify import servers
from rung.certify.baseline import EMPTY, UP
from rung.certify.faults import Kind
from rung.certify.inject import find_out, make, time_child
from rung.certify.invariants import judge
from rung.certify.results import Trial
from rung.certify.subjects import Rung
from rung.certify.test_databases import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.context import SpawnProcess

    from rung.certify.baseline import Baseline
    from rung.certify.faults import InjectedFault, Run
    from rung.certify.invariants import Violation
    from rung.certify.observations import Facts, Way
    from rung.certify.subjects import Client

_ON_SERVERS = (Kind.CRASH, Kind.DISK)


class Setting(NamedTuple):
    """All that a process has to know."""

    host: str
    port: int
    known: tuple[Baseline, ...]
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

    def attempt(self, fault: InjectedFault) -> Trial:
        """Make a fault in a database of its own, and judge what it left."""
        known = self._known(fault)
        client = self.setting.client
        seconds = self._undisturbed(known)
        with self.lab.fresh(known.template) as address:
            made = make(fault, address, client, seconds)
            facts = find_out(self.lab, address, client, fault, made.said)
        return self._judged(fault, known, facts, injected=made.injected)

    def attempt_on_servers(self, faults: Sequence[InjectedFault]) -> Iterator[Trial]:
        """Make faults of the server itself, all of one kind, on one server of their own."""
        kind = faults[0].kind
        place = servers.a_small_disk() if kind is Kind.DISK else servers.a_folder()
        with place as folder, servers.frail(folder, "frail") as server:
            for fault in faults:
                yield self._on_server(fault, server)

    def _on_server(self, fault: InjectedFault, server: servers.Frail) -> Trial:
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

    def _begin_at(self, server: servers.Frail, known: Baseline) -> None:
        """Make the database from which a run begins, where it is none that is always there."""
        if known.template != EMPTY:
            top = server.lab.make(known.template)
            Rung().run(top, known.run._replace(direction=UP))

    def _known(self, fault: InjectedFault) -> Baseline:
        return next(one for one in self.setting.known if one.run == fault.run)

    def _judged(
        self, fault: InjectedFault, known: Baseline, facts: Facts, *, injected: bool = True
    ) -> Trial:
        found = self.setting.judge(known.way, facts)
        dirty = facts.left.ledger.dirty
        return Trial(fault, injected, dirty, facts.tried, found, facts.undecided)

    def _undisturbed(self, known: Baseline) -> float:
        """Seconds of the run in a process of its own, measured once, when all is loaded."""
        if known.run not in self._seconds:
            client, template = self.setting.client, known.template
            with self.lab.fresh(template) as address:
                client.run(address, known.run)
            with self.lab.fresh(template) as address:
                self._seconds[known.run] = time_child(address, client, known.run)
        return self._seconds[known.run]

    def attempt_all(self, faults: Sequence[InjectedFault]) -> Iterator[Trial]:
        """Make faults that belong together."""
        if faults[0].kind not in _ON_SERVERS:
            yield from map(self.attempt, faults)
            return
        self._measured.clear()
        yield from self.attempt_on_servers(faults)


class Broken(NamedTuple):
    """What a worker says that could not go on."""

    told: str


def work(setting: Setting, faults: Sequence[InjectedFault], processes: int) -> Iterator[Trial]:
    """
    Make faults in several processes at once.

    A worker that finds its pipe closed ends, so none outlives this process for long.

    Yields:
        Each result as it comes, in no order.

    Raises:
        RuntimeError: a worker met what is no finding: a fault of the harness.
    """
    batches = deque(_batches(faults))
    hired = [_hire(setting, number) for number in range(min(processes, len(batches)))]
    busy = [pipe for pipe, _ in hired]
    try:
        for pipe in busy:
            pipe.send(batches.popleft())
        for pipe, told in _heard(busy):
            if told is not None:
                yield told
            elif batches:
                pipe.send(batches.popleft())
            else:
                busy.remove(pipe)
    finally:
        for pipe, _ in hired:
            pipe.close()
        for _, process in hired:
            process.join()


def _heard(busy: list[Connection]) -> Iterator[tuple[Connection, Trial | None]]:
    """What comes from the workers, while any is busy; None from one that is ready for more."""
    while busy:
        ready = wait(busy)
        for pipe in [one for one in busy if one in ready]:
            told = pipe.recv()
            if isinstance(told, Broken):
                raise RuntimeError(told.told)  # noqa: TRY004 - no wrong type, but a fault told
            yield pipe, told


def _hire(setting: Setting, number: int) -> tuple[Connection, SpawnProcess]:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, setting, number))
    process.start()
    theirs.close()
    return ours, process


def _serve(pipe: Connection, setting: Setting, number: int) -> None:
    """Work until nobody wants anything more. Ctrl-C is heard by the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(setting, Lab(setting.host, setting.port, f"fault_{number}"))
    with suppress(EOFError, ConnectionError):
        while True:
            faults = pipe.recv()
            try:
                for trial in worker.attempt_all(faults):
                    pipe.send(trial)
            except ConnectionError:
                raise
            except Exception:  # noqa: BLE001 - whatever it is, it is told
                pipe.send(Broken(traceback.format_exc()))
                return
            pipe.send(None)


def _batches(faults: Sequence[InjectedFault]) -> list[list[InjectedFault]]:
    """Faults of the server at once, first, for they take longest; the others one by one."""
    own = [[fault for fault in faults if fault.kind is kind] for kind in _ON_SERVERS]
    rest = [[fault] for fault in faults if fault.kind not in _ON_SERVERS]
    return [*(batch for batch in own if batch), *rest]
