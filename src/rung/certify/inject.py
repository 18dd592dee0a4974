"""
Inject one fault into a run, observe the database, and recover.

The faults of the server itself are in `faulty_servers`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.certify.faults import FaultKind, Points
from rung.certify.observations import FaultFacts, RunClaim
from rung.certify.proxy import CountingProxy, Verdict
from rung.certify.test_databases import observing
from rung.certify.wire import Origin, WireMessage

if TYPE_CHECKING:
    from rung.certify.faults import InjectedFault, Run
    from rung.certify.subjects import Client
    from rung.certify.test_databases import FaultDatabases, ProxyAddress

SESSIONS_END_WITHIN = 30.0
"""
Seconds that the server has to end the sessions of a killed run. It checks every five seconds for
a lost client (client_connection_check_interval), and the machine may be busy.
"""
_FREEZE_TIMEOUT = 10.0
_PAUSE_AFTER_STOP = 0.2


@dataclass(slots=True)
class ProxyGate:
    """
    Acts on the k-th message that one side sends on the first connection.

    Args:
        origin: whose messages are counted.
        number: the number of the message, from 1; 0 for none.
        verdict: for that message.
    """

    origin: Origin
    number: int
    verdict: Verdict
    seen: dict[Origin, int] = field(default_factory=lambda: dict.fromkeys(Origin, 0))
    """The number of messages by origin; the thread that forwards an origin counts it."""
    fired: bool = False

    def __call__(self, connection: int, message: WireMessage, /) -> Verdict:
        """Count a message, and return the verdict for it."""
        if connection != 1:
            return Verdict.PASS
        self.seen[message.origin] += 1
        if message.origin is self.origin and self.seen[message.origin] == self.number:
            self.fired = True
            return self.verdict
        return Verdict.PASS


_GATES = {
    FaultKind.CUT_BEFORE: (Origin.CLIENT, Verdict.CUT),
    FaultKind.CUT_AFTER: (Origin.CLIENT, Verdict.LAST),
    FaultKind.CUT_ANSWER: (Origin.SERVER, Verdict.CUT),
    FaultKind.FREEZE: (Origin.CLIENT, Verdict.FREEZE),
    FaultKind.PAUSE: (Origin.CLIENT, Verdict.FREEZE),
}


@dataclass(frozen=True, slots=True)
class Injection:
    """The result of injecting a fault."""

    injected: bool
    """False where the run ended before the fault's point."""
    claim: RunClaim | None = None
    """What the run reported, if it could."""


def inject(
    fault: InjectedFault, address: ProxyAddress, client: Client, seconds: float
) -> Injection:
    """
    Disturb one run.

    Args:
        fault: of a kind that does not disturb the server.
        address: a database on which the run can start.
        client: the program that runs.
        seconds: the duration of the undisturbed run.
    """
    if fault.kind is FaultKind.KILL:
        child = client.begin(address, fault.run)
        time.sleep(fault.point * seconds)
        child.kill()
        return Injection(injected=True)
    origin, verdict = _GATES[fault.kind]
    gate = ProxyGate(origin, int(fault.point), verdict)
    if fault.kind is FaultKind.FREEZE:
        return Injection(
            _freeze(CountingProxy(address.host, address.port, gate), address, fault, client)
        )
    with CountingProxy(address.host, address.port, gate) as proxy:
        proxied = address.by_way_of(proxy.socket_dir)
        if fault.kind is FaultKind.PAUSE:
            claim = _pause(proxy, proxied, client, fault.run)
        else:
            claim = client.run(proxied, fault.run)
    return Injection(gate.fired, claim)


def collect_facts(
    lab: FaultDatabases,
    address: ProxyAddress,
    client: Client,
    fault: InjectedFault,
    claim: RunClaim | None,
) -> FaultFacts:
    """Observe the database once no session is left, recover, and observe it again."""
    sessions = lab.await_no_sessions(address.dbname, SESSIONS_END_WITHIN)
    with observing(address) as observer:
        left, free = observer.observe(), observer.lock_free()
        recovery = client.recover(address, fault.run, left)
        end = observer.observe()
    return FaultFacts(left, sessions, free, claim, *recovery, end)


def measure(address: ProxyAddress, client: Client, run: Run) -> tuple[Points, RunClaim]:
    """Run through a proxy without faults, and count the messages of the first connection."""
    gate = ProxyGate(Origin.CLIENT, 0, Verdict.PASS)
    with CountingProxy(address.host, address.port, gate) as proxy:
        claim = client.run(address.by_way_of(proxy.socket_dir), run)
    return Points(gate.seen[Origin.CLIENT], gate.seen[Origin.SERVER]), claim


def time_child(address: ProxyAddress, client: Client, run: Run) -> float:
    """Return the seconds of an undisturbed run in a process of its own."""
    began = time.perf_counter()
    client.begin(address, run).wait()
    return time.perf_counter() - began


def _freeze(
    proxy: CountingProxy, address: ProxyAddress, fault: InjectedFault, client: Client
) -> bool:
    """
    Kill the process while nothing passes, and break the connections afterwards.

    The proxy breaks them when it ends, like a network that reports a loss late.
    """
    proxy.listen()
    child = client.begin(address.by_way_of(proxy.socket_dir), fault.run)
    with proxy:
        frozen = proxy.frozen.wait(_FREEZE_TIMEOUT)
        child.kill()
    return frozen


def _pause(proxy: CountingProxy, proxied: ProxyAddress, client: Client, run: Run) -> RunClaim:
    """Cancel the run while nothing passes; then let everything pass again."""
    stop = CancelToken()

    def disturb() -> None:
        if proxy.frozen.wait(_FREEZE_TIMEOUT):
            stop.set()
            time.sleep(_PAUSE_AFTER_STOP)
            proxy.thaw()

    other = threading.Thread(target=disturb)
    other.start()
    claim = client.run(proxied, run, stop)
    proxy.frozen.set()
    other.join()
    return claim
