"""
The programs that are disturbed: Rung itself, in this process or a forked one.

A client runs the migrations of a folder, can be killed meanwhile, and recovers after a fault. What
it reports about a run is checked against the database. The tests have another client.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rung.certify.observations import RunClaim
from rung.certify.test_databases import USER
from rung.errors import CannotResume, RepairUndecided, RungError, UsageError
from rung.migrator import Migrator
from rung.planning.plan import Down, Up

if TYPE_CHECKING:
    from rung.cancellation import CancelToken
    from rung.certify.faults import Run
    from rung.certify.observations import ObservedDatabase
    from rung.certify.test_databases import ProxyAddress
    from rung.planning.plan import Goal
    from rung.repair import Diagnosis


class Recovery(NamedTuple):
    """The commands of a recovery, and how it ended."""

    tried: tuple[str, ...]
    refused: str = ""
    undecided: str = ""


class Child(Protocol):
    """A client in a process of its own."""

    def kill(self) -> None:
        """Kill the process with SIGKILL, and wait for its end."""

    def wait(self) -> None:
        """Wait for its end."""


class Client(Protocol):
    """A program that runs migrations."""

    def run(self, address: ProxyAddress, run: Run, stop: CancelToken | None = None) -> RunClaim:
        """Run in this thread to the end."""

    def begin(self, address: ProxyAddress, run: Run) -> Child:
        """Run in a process of its own."""

    def recover(self, address: ProxyAddress, run: Run, left: ObservedDatabase) -> Recovery:
        """Recover from a fault as a user would."""


@dataclass(frozen=True, slots=True)
class Forked:
    """A child of `fork`: no interpreter has to start, so instants are those of the run."""

    pid: int

    def kill(self) -> None:
        """Kill the child, and collect its exit status."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        """Wait for its end."""
        os.waitpid(self.pid, 0)


class Rung:
    """Rung, the package itself."""

    def run(self, address: ProxyAddress, run: Run, stop: CancelToken | None = None) -> RunClaim:
        """Run all migrations, and return what Rung reports."""
        migrator = Migrator(address.conninfo, run.source, stop=stop)
        try:
            migrator.run(_goal(run))
        except RungError as error:
            return RunClaim(state=error.database, error=error.cause)
        except Exception as error:  # noqa: BLE001 - a fault of ours is a finding
            return RunClaim(fault=f"{type(error).__name__}: {error}")
        return RunClaim(finished=True)

    def begin(self, address: ProxyAddress, run: Run) -> Forked:
        """
        Fork, and run in the child.

        Call it only where this process has no other thread.
        """
        pid = os.fork()
        if pid:
            return Forked(pid)
        try:  # pragma: no cover - in the child, which reports nothing
            self.run(address, run)
        finally:
            os._exit(0)

    def recover(self, address: ProxyAddress, run: Run, left: ObservedDatabase) -> Recovery:
        """
        Run the same command again; resume a dirty ledger; if that is refused, repair and run.

        Where `repair` asks about a statement that leaves no trace, the answer is that it did not
        run: a statement that cannot run in a transaction can mostly run twice.
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
    """Repair what cannot be resumed, and return the command."""
    scratch = address._replace(dbname=USER).url
    diagnosis = migrator.diagnose(scratch)
    if diagnosis is not None and diagnosis.action is None and diagnosis.finding.trial is not None:
        attempt = diagnosis.finding.trial.candidate.attempt
        done = attempt.statements_done if attempt else 0
        diagnosis = migrator.diagnose(scratch, done)
        migrator.repair(_insist(diagnosis))
        return f"rung repair --done {done}"
    migrator.repair(_insist(diagnosis))
    return "rung repair"


def _insist(diagnosis: Diagnosis | None) -> Diagnosis:
    if diagnosis is None:
        raise UsageError("the ledger is clean; nothing to repair")
    return diagnosis


def _goal(run: Run, *, resume: bool = False) -> Goal:
    return Up(resume=resume) if run.direction == "up" else Down(None, resume)


def _command(run: Run, *, resume: bool = False) -> str:
    words = ("rung", run.direction, *(["--all"] if run.direction == "down" else []))
    return " ".join((*words, *(["--resume"] if resume else [])))
