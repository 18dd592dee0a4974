"""Rung under faults, a tenth of what `make certify` makes; and golang-migrate, to find its lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.faults import comparison
from tests.faults.golang import LIE, NEEDLESS
from tests.faults.sets import SETS
from tests.oracle import golang_migrate, or_skip

import rung
from rung.certify.certification import LearnedRuns, bench
from rung.certify.faults import FaultKind
from rung.certify.invariants import judge
from rung.certify.subjects import Rung
from rung.errors import BinariesNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20261125
FAULTS = 100
PROCESSES = 2
"""Other tests run beside these."""


@pytest.fixture(scope="module")
def sets() -> Iterator[LearnedRuns]:
    """Learn the undisturbed runs of every set, once."""
    try:
        made = bench(SETS, lambda _: None)
        with made as learned:
            yield learned
    except BinariesNotFound as error:
        if os.environ.get("RUNG_TEST_REQUIRE_SERVER") == "1":
            raise
        pytest.skip(f"no PostgreSQL to test on: {error}")


@pytest.mark.slow
def test_rung_under_faults(sets: LearnedRuns) -> None:
    """Whatever is cut, killed, frozen or filled, no promise is broken; each kind was made."""
    trials = list(sets.inject(sets.draw(FAULTS, SEED), Rung(), judge, PROCESSES))
    violations = [
        f"{trial.fault}: {one.invariant.value}: {one.told}"
        for trial in trials
        for one in trial.violations
    ]

    assert violations == []
    assert sum(trial.injected for trial in trials) >= FAULTS * 9 // 10
    assert {trial.fault.kind for trial in trials} == set(FaultKind) - sets.without


@pytest.mark.slow
def test_lies_are_found(sets: LearnedRuns) -> None:
    """The same harness finds golang-migrate's dirty ends of what is whole, and its lies."""
    binary = or_skip(golang_migrate())
    trials = comparison.disturb(sets, binary, 24, SEED, lambda *_: None)
    told = {violation.told for trial in trials for violation in trial.violations}

    assert any(trial.dirty for trial in trials)
    assert told & {LIE, NEEDLESS}


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    """`rung certify` needs a folder and nothing else, and prints what it made."""
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);\n")
    (tmp_path / "1_a.down.sql").write_text("DROP TABLE a;\n")
    words = ["certify", "--source", str(tmp_path), "--faults", "2", "--seed", "1", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(rung.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "rung", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=300,
    )
    printed = json.loads(done.stdout)

    assert (done.returncode, printed["exit_code"], printed["violations"]) == (0, 0, [])
    assert sum(one["injected"] + one["too_late"] for one in printed["faults"]) == 2
    assert done.stderr.endswith("no violation.\n") or "too late" in done.stderr
