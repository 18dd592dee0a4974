"""
Run the contenders, timed and counted.

Timed runs alternate (A B C A B C …), each on a new database and as a whole process, connected
directly to the server. Counted runs use the proxy, once, because counts do not vary. A run that
fails, or leaves another schema than the first one, stops the benchmark.
"""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rung.certify.proxy import CountingProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bench.contenders import Contender
    from bench.servers import Server
    from rung.certify.wire import Counts

_FOREIGN = ("RUNG_", "PG", "DATABASE_URL", "COVERAGE", "PYTHONDONTWRITEBYTECODE")
"""
Beginnings of variables that would tell a contender other things than its command does, or
have Python compile it again at each start, which no installation does.
"""


class ContenderError(Exception):
    """A program failed, so the figures of this benchmark are void."""


@dataclass(frozen=True, slots=True)
class Load:
    """A folder to apply; `size` is its number of migrations."""

    name: str
    folder: Path
    size: int


@dataclass(frozen=True, slots=True)
class Timing:
    """The wall time and the CPU time of one process, in seconds."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Timed:
    """The runs of one contender with one load on one server, in the order of the rounds."""

    contender: str
    full: tuple[Timing, ...]
    """Everything pending."""
    idle: tuple[Timing, ...]
    """Nothing pending; empty for one that keeps no ledger."""


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of one run: counts of the protocol, and transaction ids of the server."""

    counts: Counts
    xids: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The bills of one contender with one load."""

    contender: str
    full: Bill
    idle: Bill | None


def run(command: Sequence[str]) -> Timing:
    """
    Start a program and wait for its end.

    Raises:
        ContenderError: its exit code was not 0.
    """
    with tempfile.TemporaryFile() as talk:
        before, started = _cpu(), time.perf_counter()
        code = subprocess.run(
            command,
            env=_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=talk,
            check=False,
        ).returncode
        timing = Timing(time.perf_counter() - started, _cpu() - before)
        if code:
            talk.seek(0)
            said = talk.read().decode(errors="replace")
            raise ContenderError(f"{shlex.join(command)}\nended with code {code}:\n{said}")
    return timing


def timed(
    server: Server,
    load: Load,
    field: Sequence[Contender],
    rounds: int,
    said: Callable[[str], None],
) -> list[Timed]:
    """
    Time each contender once a round, with everything pending and with nothing to do.

    Args:
        said: receives a message before each round.
    """
    results = [Timed(contender.name, (), ()) for contender in field]
    shapes: set[object] = set()
    for number in range(rounds):
        said(f"{server.name}, {load.name}: round {number + 1} of {rounds}")
        for place, contender in enumerate(field):
            full, idle, shape = _one_round(server, load, contender)
            was = results[place]
            results[place] = replace(was, full=(*was.full, full), idle=(*was.idle, *idle))
            shapes.add(shape)
            _same(shapes, contender)
    return results


def _one_round(
    server: Server, load: Load, contender: Contender
) -> tuple[Timing, tuple[Timing, ...], object]:
    with server.fresh_database("bench") as address:
        command = contender.command(address, load.folder)
        full = run(command)
        idle = (run(command),) if contender.remembers else ()
        return full, idle, server.shape(address.dbname)


def counted(server: Server, load: Load, field: Sequence[Contender]) -> list[Counted]:
    """Count each contender through the proxy, with everything pending and with nothing to do."""
    results: list[Counted] = []
    shapes: set[object] = set()
    with CountingProxy(server.host, server.port) as proxy:
        seen = replace(server, host=str(proxy.socket_dir))
        for contender in field:
            with server.fresh_database("bench") as address:
                command = contender.command(seen.at(address.dbname), load.folder)
                full = _bill(server, proxy, command)
                idle = _bill(server, proxy, command) if contender.remembers else None
                shapes.add(server.shape(address.dbname))
                _same(shapes, contender)
            results.append(Counted(contender.name, full, idle))
    return results


def _bill(server: Server, proxy: CountingProxy, command: Sequence[str]) -> Bill:
    counts, xid = proxy.counts, server.next_xid()
    run(command)
    return Bill(proxy.counts - counts, server.next_xid() - xid)


def _same(shapes: set[object], contender: Contender) -> None:
    if len(shapes) > 1:
        raise ContenderError(f"{contender.name} left another schema than others: {shapes}")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment(whole: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in whole.items() if not name.startswith(_FOREIGN)}
