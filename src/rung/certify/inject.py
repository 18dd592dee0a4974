"""
One fault in one run on a server that lives on: made, waited for, looked at, recovered from.

The kinds that disturb the server itself are in `servers`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.certify.faults import Kind, Points
from rung.certify.observations import Facts, Said
from rung.certify.proxy import CountingProxy, Verdict
from rung.certify.test_databases import looking_at
from rung.certify.wire import Origin, WireMessage

if TYPE_CHECKING:
    from rung.certify.faults import InjectedFault, Run
    from rung.certify.subjects import Client
    from rung.certify.test_databases import Lab, ProxyAddress

GONE_WITHIN = 30.0
"""
Seconds that the server has to end the sessions of a run that is gone. It looks every five for
a client that vanished (client_connection_check_interval), and a machine may be busy.
"""
_FROZEN_WITHIN = 10.0
_STOPPED_FOR = 0.2


@dataclass(slots=True)
class Gate:
    """
    Acts on the k-th message that one side sends on the first connection.

    Args:
        origin: whose messages are counted.
        number: which one, from 1; 0 for none.
        verdict: what becomes of it.
    """

    origin: Origin
    number: int
    verdict: Verdict
    seen: dict[Origin, int] = field(default_factory=lambda: dict.fromkeys(Origin, 0))
    """Messages so far. Each side is counted by the one thread that carries it."""
    fired: bool = False

    def __call__(self, connection: int, message: WireMessage, /) -> Verdict:
        """Count, and judge."""
        if connection != 1:
            return Verdict.PASS
        self.seen[message.origin] += 1
        if message.origin is self.origin and self.seen[message.origin] == self.number:
            self.fired = True
            return self.verdict
        return Verdict.PASS


_GATES = {
    Kind.CUT_BEFORE: (Origin.CLIENT, Verdict.CUT),
    Kind.CUT_BEHIND: (Origin.CLIENT, Verdict.LAST),
    Kind.CUT_ANSWER: (Origin.SERVER, Verdict.CUT),
    Kind.FREEZE: (Origin.CLIENT, Verdict.FREEZE),
    Kind.PAUSE: (Origin.CLIENT, Verdict.FREEZE),
}


@dataclass(frozen=True, slots=True)
class Made:
    """How the making of a fault went."""

    injected: bool
    """False where the run was over before its point came."""
    said: Said | None = None
    """What the run said in the end, where it could."""


def make(fault: InjectedFault, address: ProxyAddress, client: Client, seconds: float) -> Made:
    """
    Disturb one run.

    Args:
        fault: of a kind that leaves the server alone.
        address: a database at which the run can begin.
        client: who runs.
        seconds: how long the run takes undisturbed.
    """
    if fault.kind is Kind.KILL:
        return _kill(fault, address, client, seconds)
    origin, verdict = _GATES[fault.kind]
    gate = Gate(origin, int(fault.point), verdict)
    if fault.kind is Kind.FREEZE:
        return Made(
            _freeze(CountingProxy(address.host, address.port, gate), address, fault, client)
        )
    with CountingProxy(address.host, address.port, gate) as proxy:
        there = address.by_way_of(proxy.socket_dir)
        if fault.kind is Kind.PAUSE:
            said = _pause(proxy, there, client, fault.run)
        else:
            said = client.run(there, fault.run)
    return Made(gate.fired, said)


def find_out(
    lab: Lab, address: ProxyAddress, client: Client, fault: InjectedFault, said: Said | None
) -> Facts:
    """What the fault left once all is quiet, and what the recovery makes of it."""
    sessions = lab.await_nobody(address.dbname, GONE_WITHIN)
    with looking_at(address) as onlooker:
        left, free = onlooker.see(), onlooker.lock_free()
        recovery = client.recover(address, fault.run, left)
        end = onlooker.see()
    return Facts(left, sessions, free, said, *recovery, end)


def measure(address: ProxyAddress, client: Client, run: Run) -> tuple[Points, Said]:
    """Run undisturbed through a proxy, and count the messages of the first connection."""
    gate = Gate(Origin.CLIENT, 0, Verdict.PASS)
    with CountingProxy(address.host, address.port, gate) as proxy:
        said = client.run(address.by_way_of(proxy.socket_dir), run)
    return Points(gate.seen[Origin.CLIENT], gate.seen[Origin.SERVER]), said


def time_child(address: ProxyAddress, client: Client, run: Run) -> float:
    """The seconds that an undisturbed run takes in a process of its own."""
    began = time.perf_counter()
    client.begin(address, run).wait()
    return time.perf_counter() - began


def _kill(fault: InjectedFault, address: ProxyAddress, client: Client, seconds: float) -> Made:
    child = client.begin(address, fault.run)
    time.sleep(fault.point * seconds)
    child.kill()
    return Made(injected=True)


def _freeze(
    proxy: CountingProxy, address: ProxyAddress, fault: InjectedFault, client: Client
) -> bool:
    """
    Kill the process while nothing passes, and only then break the connections.

    The proxy breaks them as it ends, as a network does that tells of the loss at last.
    """
    proxy.listen()
    child = client.begin(address.by_way_of(proxy.socket_dir), fault.run)
    with proxy:
        frozen = proxy.frozen.wait(_FROZEN_WITHIN)
        child.kill()
    return frozen


def _pause(proxy: CountingProxy, there: ProxyAddress, client: Client, run: Run) -> Said:
    """Ask the run to stop while nothing passes; then let all pass again."""
    stop = CancelToken()

    def disturb() -> None:
        if proxy.frozen.wait(_FROZEN_WITHIN):
            stop.set()
            time.sleep(_STOPPED_FOR)
            proxy.thaw()

    other = threading.Thread(target=disturb)
    other.start()
    said = client.run(there, run, stop)
    proxy.frozen.set()
    other.join()
    return said
