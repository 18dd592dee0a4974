"""Every kind of dirty database is diagnosed and repaired correctly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.oracle import golang_migrate, or_skip
from tests.repair_cases.cases import CASES
from tests.repair_cases.model import try_case
from tests.repair_cases.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repair_cases.model import Case
    from tests.servers import Database


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_dirty_database(
    case: Case, database: Database, twin_database: Database, tmp_path: Path
) -> None:
    """What is there is found out, one action is proposed, and it leaves what it says."""
    binary = or_skip(golang_migrate()) if case.needs_golang_migrate else None
    verdict = try_case(case, Stage(database.url, tmp_path, binary), twin_database.url)

    assert verdict.told == ""
    assert (verdict.diagnosed, verdict.repaired) == (True, True)


def test_an_index_that_is_being_built_is_no_leftover(database: Database, tmp_path: Path) -> None:
    """It is invalid as one that failed is: to drop it would wait for the build, and undo it."""
    stage, build = Stage(database.url, tmp_path, None), "CREATE INDEX CONCURRENTLY i ON t (x);"
    stage.write(1, "CREATE TABLE t (x int);")
    stage.write(2, f"CREATE TABLE u ();\n{build}\nSELECT 1/0;")
    stage.rung("up")
    stage.ask("DROP INDEX i")
    with ThreadPoolExecutor(1) as pool, stage.holding("INSERT INTO t VALUES (1)"):
        pool.submit(stage.ask, build)
        stage.until("SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid <> 0")
        found = stage.rung("repair", "--yes")

    assert "is being built right now" in found.stderr
    assert stage.ask("SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass") == [(True,)]


def test_there_are_twenty_kinds() -> None:
    """Each has a name of its own and says how it came to be."""
    assert len({case.name for case in CASES}) == len(CASES) >= 20
    assert [case.name for case in CASES if not case.sentence.endswith(".")] == []
