"""
golang-migrate under the same faults, and what is counted of it.

It keeps no history and promises less, so other things are counted than are violations in
Rung: a ledger that is clean and not true, one that is dirty, and statements done twice.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.certify.invariants import Invariant, Violation
from rung.certify.observations import RunClaim
from rung.certify.subjects import Recovery

if TYPE_CHECKING:
    from rung.cancellation import CancelToken
    from rung.certify.faults import Run
    from rung.certify.observations import FaultFacts, ObservedDatabase, UndisturbedRun
    from rung.certify.test_databases import ProxyAddress

SPLIT = "no transaction"
"""The set whose files it cannot run whole: it is told to cut them at each semicolon."""
LIE = "clean, and the schema or the rows are not those of that version"
NEEDLESS = "dirty, and the schema and the rows are those of a version"
TWICE = "run again without a complaint, and something is done twice or lost"
_LONGEST = 120.0


@dataclass(frozen=True, slots=True)
class Process:
    """It, in a process of its own."""

    running: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Kill it, and wait for its end."""
        self.running.kill()
        self.running.wait()

    def wait(self) -> None:
        """Wait for its end."""
        self.running.wait()


@dataclass(frozen=True, slots=True)
class Golang:
    """The real golang-migrate; a `rung.certify.subjects.Client`."""

    binary: str

    def run(self, address: ProxyAddress, run: Run, stop: CancelToken | None = None) -> RunClaim:
        """Run it to its end."""
        return RunClaim(finished=self._run(address, run) == "")

    def begin(self, address: ProxyAddress, run: Run) -> Process:
        """Start it."""
        silent = subprocess.DEVNULL
        return Process(subprocess.Popen(self._command(address, run), stdout=silent, stderr=silent))

    def recover(self, address: ProxyAddress, run: Run, left: ObservedDatabase) -> Recovery:
        """Run it again, which is all that its user can do without looking."""
        return Recovery((f"migrate {run.direction}",), self._run(address, run))

    def _run(self, address: ProxyAddress, run: Run) -> str:
        """Run it; what it complained of, empty where it did not."""
        command = self._command(address, run)
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=_LONGEST
            )
            fine = done.returncode == 0 or "no change" in done.stderr
            return "" if fine else done.stderr.strip()
        return "no end"

    def _command(self, address: ProxyAddress, run: Run) -> list[str]:
        split = "&x-multi-statement=true" if run.name == SPLIT else ""
        where = ["-path", run.source, "-database", address.url + split]
        return [self.binary, *where, *(["up"] if run.direction == "up" else ["down", "-all"])]


def judge(way: UndisturbedRun, facts: FaultFacts) -> tuple[Violation, ...]:
    """What is counted of it behind a fault."""
    left, end = facts.left, facts.end
    steps = way.at(left.ledger.version)
    near = () if steps is None else way.states[max(steps - 1, 0) : steps + 1]
    if left.ledger.dirty:
        whole = any(_alike(station, left) for station in near)
        return (Violation(Invariant.LEDGER, NEEDLESS),) if whole else ()
    lie = () if near and _alike(near[-1], left) else (Violation(Invariant.LEDGER, LIE),)
    went_through = end is not None and not facts.refused
    twice = went_through and end is not None and not _alike(way.end, end)
    return (*lie, *((Violation(Invariant.ONCE, TWICE),) if twice else ()))


def _alike(one: ObservedDatabase, other: ObservedDatabase) -> bool:
    return (one.schema, one.rows) == (other.schema, other.rows)
