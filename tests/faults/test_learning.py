"""What is learned of a folder before any fault, and folders that cannot be certified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.certify.baseline import learn
from rung.certify.observations import CompletedStep
from rung.certify.test_databases import FaultDatabases
from rung.errors import NotCertifiable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Database

    from rung.embedded import EmbeddedServer

ROLE = "CREATE ROLE certified_once;"
UNROLE = "DROP ROLE IF EXISTS certified_once;"


@pytest.fixture
def lab(server: EmbeddedServer, tmp_path: Path) -> Iterator[FaultDatabases]:
    """Give a lab on the worker's server, and take its database away."""
    made = FaultDatabases.of(server, f"lab_{tmp_path.name}")
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);\n")
    (tmp_path / "1_a.down.sql").write_text("DROP TABLE a;\n")
    yield made
    made.remove(f"{made.prefix}_top")
    made.close()


def test_a_folder_is_learned_both_ways(lab: FaultDatabases, tmp_path: Path) -> None:
    """Each station has its schema and its rows, and each run its messages."""
    (up, down), left_out = learn(lab, "mine", str(tmp_path))

    assert (up.way.steps, down.way.steps) == (
        (CompletedStep(1, "up"),),
        (CompletedStep(1, "down"),),
    )
    assert [station.rows for station in up.way.states] == [{}, {"a": 1}]
    assert down.way.earlier == up.way.steps
    assert min(up.points) > 3
    assert left_out == ""


def test_a_down_that_fails_is_left_out(lab: FaultDatabases, tmp_path: Path) -> None:
    """The ups are certified all the same, and the reason is told."""
    (tmp_path / "1_a.down.sql").write_text("DROP TABLE b;\n")
    baselines, left_out = learn(lab, "mine", str(tmp_path))

    assert [one.run.direction for one in baselines] == ["up"]
    begins = 'mine, down: down of migration 1 (a) failed: table "b" does not exist'
    assert left_out.startswith(begins)


def test_a_folder_that_runs_once_is_refused(
    lab: FaultDatabases, database: Database, tmp_path: Path
) -> None:
    """What belongs to the whole server is there already in the second database."""
    (tmp_path / "2_role.up.sql").write_text(ROLE)
    (tmp_path / "2_role.down.sql").write_text(UNROLE)
    with pytest.raises(NotCertifiable) as raised:
        learn(lab, "mine", str(tmp_path))
    database.psql(UNROLE)

    assert 'role "certified_once" already exists' in raised.value.cause
    assert "such as a role" in raised.value.hint


def test_an_empty_folder_is_refused(lab: FaultDatabases, tmp_path: Path) -> None:
    """Nothing is not certified."""
    for file in tmp_path.iterdir():
        file.unlink()

    with pytest.raises(NotCertifiable, match="no migration"):
        learn(lab, "mine", str(tmp_path))
