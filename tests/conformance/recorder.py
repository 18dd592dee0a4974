"""Asks the real golang-migrate for the outcome of every scenario."""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.conformance.environments import theatre
from tests.conformance.library import scenarios
from tests.conformance.recording import Outcomes, Recording, load, save
from tests.conformance.tools import Process, real
from tests.oracle import golang_migrate

from rung.embedded import EmbeddedServer, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.conformance.runner import Theatre
    from tests.conformance.scenario import Scenario

MAJOR = 15
"""The major version of PostgreSQL that golang-migrate is recorded on."""
_BUILT_FROM = re.compile(rb"\tgithub\.com/golang-migrate/migrate/v4\t(v[0-9][^\t\n]*)")


def record(schemes: tuple[str, ...]) -> int:
    """Ask for every scenario of schemes and write their recordings; the exit code."""
    return _written(schemes, _nothing)


def update(schemes: tuple[str, ...]) -> int:
    """Ask for the scenarios that are not recorded as they are now; the exit code."""
    return _written(schemes, load)


def _nothing(_: str) -> None:
    """Start without an earlier recording."""


def _written(schemes: tuple[str, ...], earlier: Callable[[str], Recording | None]) -> int:
    binary = golang_migrate()
    if binary is None:
        sys.stderr.write("there is no golang-migrate to record\n")
        return 1
    with ExitStack() as stack:
        server = stack.enter_context(start(major=MAJOR)) if set(schemes) - {"sqlite3"} else None
        for scheme in schemes:
            begun = time.monotonic()
            known, wanted = _known(scenarios(scheme), earlier(scheme))
            recording = asked(scheme, server, binary, wanted)
            recording.outcomes |= known
            save(scheme, recording)
            took = time.monotonic() - begun
            sys.stdout.write(f"{scheme}: {len(wanted)} scenarios in {took:.0f} s\n")
    return 0


def _known(
    every: tuple[Scenario, ...], earlier: Recording | None
) -> tuple[Outcomes, list[Scenario]]:
    """Part the scenarios: the outcomes of those that an earlier recording has, and the rest."""
    held = {} if earlier is None else earlier.outcomes
    known = {e.id: held[e.id] for e in every if held.get(e.id, ("",))[0] == e.digest}
    return known, [each for each in every if each.id not in known]


def asked(
    scheme: str, server: EmbeddedServer | None, binary: Path, wanted: Iterable[Scenario]
) -> Recording:
    """Run scenarios with golang-migrate."""
    recording = Recording(version_of(binary), server_version(scheme, server.major if server else 0))
    with theatre(scheme, server) as opened:
        for each in wanted:
            _keep(recording, opened, each, real(binary))
    return recording


def _keep(recording: Recording, opened: Theatre, scenario: Scenario, tool: Process) -> None:
    try:
        seen = opened.play(scenario, tool)
    except Exception as error:
        error.add_note(f"in the scenario {scenario.id}")
        raise
    recording.keep(scenario, tuple(each.outcome for each in seen))


def version_of(binary: Path) -> str:
    """Read the version that Go wrote into a binary; empty where there is none."""
    found = _BUILT_FROM.search(binary.read_bytes())
    return found[1].decode() if found else ""


def server_version(scheme: str, major: int) -> str:
    """Name the database that a recording is made on; `major` is PostgreSQL's."""
    return f"SQLite {sqlite3.sqlite_version}" if scheme == "sqlite3" else f"PostgreSQL {major}"
