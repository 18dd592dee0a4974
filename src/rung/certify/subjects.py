"""
Who is disturbed: Rung itself, in this process or in a forked one; the tests have another.

A client runs the migrations of a folder, can be killed while it does, and says how it would
go on behind a fault by itself. What it says of a run is kept, to be held against the truth.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rung.certify.observations import Said
from rung.certify.test_databases import USER
from rung.errors import CannotResume, RepairUndecided, RungError, UsageError
from rung.migrator import Migrator
from rung.planning.plan import Down, Up

if TYPE_CHECKING:
    from rung.cancellation import CancelToken
    from rung.certify.faults import Run
    from rung.certify.observations import Seen
    from rung.certify.test_databases import ProxyAddress
    from rung.planning.plan import Goal
    from rung.repair import Diagnosis


class Recovery(NamedTuple):
    """What was done behind a fault."""

    tried: tuple[str, ...]
    refused: str = ""
    undecided: str = ""


class Child(Protocol):
    """A client in a process of its own."""

    def kill(self) -> None:
        """End it at once, as SIGKILL does, and wait for its end."""

    def wait(self) -> None:
        """Wait for its end."""


class Client(Protocol):
    """A program that migrates."""

    def run(self, address: ProxyAddress, run: Run, stop: CancelToken | None = None) -> Said:
        """Run in this thread, to its end."""

    def begin(self, address: ProxyAddress, run: Run) -> Child:
        """Run in a process of its own."""

    def recover(self, address: ProxyAddress, run: Run, left: Seen) -> Recovery:
        """Go on behind a fault, as its user would."""


@dataclass(frozen=True, slots=True)
class Forked:
    """A child of `fork`: no interpreter has to start, so instants are those of the run."""

    pid: int

    def kill(self) -> None:
        """Kill and collect it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        """Wait for its end."""
        os.waitpid(self.pid, 0)


class Rung:
    """This very package."""

    def run(self, address: ProxyAddress, run: Run, stop: CancelToken | None = None) -> Said:
        """Run all the way; what it says in the end."""
        migrator = Migrator(address.conninfo, run.source, stop=stop)
        try:
            migrator.run(_goal(run))
        except RungError as error:
            return Said(state=error.state, error=error.cause)
        except Exception as error:  # noqa: BLE001 - a fault of ours is a finding
            return Said(fault=f"{type(error).__name__}: {error}")
        return Said(finished=True)

    def begin(self, address: ProxyAddress, run: Run) -> Forked:
        """
        Fork, and run in the child.

        To be called where this process has no other thread.
        """
        pid = os.fork()
        if pid:
            return Forked(pid)
        try:  # pragma: no cover - in the child, which is killed or leaves without a word
            self.run(address, run)
        finally:
            os._exit(0)

    def recover(self, address: ProxyAddress, run: Run, left: Seen) -> Recovery:
        """
        Run the same command again; where the ledger is dirty, resume; else repair, and run.

        Where `repair` asks what became of a statement that leaves no trace, the answer is that
        it did not run: what may run outside a transaction only may mostly run again.
        """
        resume, command = left.ledger.dirty, _command(run, resume=left.ledger.dirty)
        migrator = Migrator(address.conninfo, run.source)
        tried = [command]
        try:
            try:
                migrator.run(_goal(run, resume=resume))
            except CannotResume:
                tried.append("rung repair")
                tried[-1] = _repair(migrator, address)
                tried.append(_command(run))
                migrator.run(_goal(run))
        except RepairUndecided as error:
            return Recovery(tuple(tried), undecided=error.cause)
        except RungError as error:
            return Recovery(tuple(tried), f"{type(error).__name__}: {error}")
        return Recovery(tuple(tried))


def _repair(migrator: Migrator, address: ProxyAddress) -> str:
    """Repair what cannot be resumed; the command that does it."""
    scratch = address._replace(dbname=USER).url
    found = migrator.diagnose(scratch)
    if found is not None and found.action is None and found.finding.trial is not None:
        attempt = found.finding.trial.candidate.attempt
        done = attempt.statements_done if attempt else 0
        found = migrator.diagnose(scratch, done)
        migrator.repair(_insist(found))
        return f"rung repair --done {done}"
    migrator.repair(_insist(found))
    return "rung repair"


def _insist(found: Diagnosis | None) -> Diagnosis:
    if found is None:
        raise UsageError("The ledger is clean; nothing is to be repaired.")
    return found


def _goal(run: Run, *, resume: bool = False) -> Goal:
    return Up(resume=resume) if run.direction == "up" else Down(None, resume)


def _command(run: Run, *, resume: bool = False) -> str:
    words = ("rung", run.direction, *(["--all"] if run.direction == "down" else []))
    return " ".join((*words, *(["--resume"] if resume else [])))
