"""
`python -m tests.faults`: Rung and golang-migrate under faults, and the repair of dirty databases.

Print the report of `make certify`. Fail where Rung violates an invariant or does not repair a case.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from typing import TYPE_CHECKING

from tests.faults import comparison, repairs
from tests.faults.sets import SETS
from tests.oracle import VERSION, golang_migrate

from rung.certify import Certificate
from rung.certify.certification import bench
from rung.certify.invariants import judge
from rung.certify.results import add_up
from rung.certify.subjects import Rung
from rung.render.certificate import certificate_lines, certificate_summary
from rung.render.terminal import Style

if TYPE_CHECKING:
    from pathlib import Path

    from rung.certify.certification import LearnedRuns
    from rung.certify.results import FaultResult

_LEAST = 1000
_THEIRS = 1000
_EVERY = 50


def main() -> int:
    """Do all three; the exit code."""
    given = _words()
    binary = golang_migrate()
    with bench(SETS, _say) as made:
        certificate = _ours(made, given.faults, given.seed)
        _print(f"Rung, seed {given.seed}", *certificate_lines(certificate, Style()))
        _print("", certificate_summary(certificate), *certificate.left_out, "")
        _theirs(made, binary, given.faults or _THEIRS, given.seed)
        repaired = _repairs(made, binary)
    return 0 if repaired and not certificate.findings else 1


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--faults", type=int, help="default: every cut point, 1,000 at the least")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    return parser.parse_args()


def _ours(made: LearnedRuns, total: int | None, seed: int) -> Certificate:
    began = time.perf_counter()
    faults = made.draw(total, seed, _LEAST)
    trials = []
    for trial in made.inject(faults, Rung(), judge):
        trials.append(trial)
        _tell("Rung", trial, len(trials), len(faults))
    seconds = time.perf_counter() - began
    return Certificate(*add_up(trials), made.left_out, seed, seconds, made.server.version)


def _theirs(made: LearnedRuns, binary: Path | None, total: int, seed: int) -> None:
    if binary is None:
        _print("golang-migrate is left out: there is none here, nor Go to build it.", "")
        return

    def tell(trial: FaultResult, number: int, of: int) -> None:
        _tell("golang-migrate", trial, number, of)

    trials = comparison.disturb(made, binary, total, seed, tell)
    _print(f"golang-migrate {VERSION}", *comparison.lines(trials), "")


def _repairs(made: LearnedRuns, binary: Path | None) -> bool:
    verdicts = []
    for verdict in repairs.verdicts(made.server, binary):
        verdicts.append(verdict)
        _say(f"rung repair: {verdict.case}")
    diagnosed = sum(verdict.diagnosed for verdict in verdicts)
    repaired = sum(verdict.repaired for verdict in verdicts)
    _print(
        f"rung repair: {len(verdicts)} kinds of dirty database, "
        f"{diagnosed} diagnosed correctly, {repaired} repaired correctly"
    )
    _print(*(f"  {verdict.case}: {verdict.told}" for verdict in verdicts if verdict.told))
    return diagnosed == repaired == len(verdicts)


def _tell(who: str, trial: FaultResult, number: int, total: int) -> None:
    for violation in trial.violations if who == "Rung" else ():
        _say(f"{trial.fault}: {violation.invariant.value}: {violation.told}")
    if number % _EVERY == 0 or number == total:
        _say(f"{who}: {number} of {total} faults")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _print(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
