"""Diagnose and repair every kind of dirty database with a case, and count the results."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.repair_cases.cases import CASES
from tests.repair_cases.model import try_case
from tests.repair_cases.stage import Stage

from rung.certify.test_databases import FaultDatabases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.repair_cases.model import Verdict

    from rung.embedded import EmbeddedServer


def verdicts(server: EmbeddedServer, binary: Path | None) -> Iterator[Verdict]:
    """What repair makes of each; without golang-migrate's binary those of it are left out."""
    lab = FaultDatabases.of(server, "dirty")
    for case in CASES:
        if case.needs_golang_migrate and binary is None:
            continue
        with TemporaryDirectory() as folder, lab.fresh() as one, lab.fresh() as twin:
            yield try_case(case, Stage(one.url, Path(folder), binary), twin.url)
    lab.close()
