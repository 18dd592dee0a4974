"""The fixtures as a project of somebody's uses them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rung.integrations.pytest import test_every_migration_can_be_undone as undone
from rung.integrations.reversibility import undo_differences

if TYPE_CHECKING:
    from tests.servers import Database

    from rung.embedded import EmbeddedServer

PAGE = Path(__file__).parents[3] / "docs" / "guides" / "pytest.md"
FENCES = re.compile(r"^```(?:sh|python|toml)\n(.*?)^```", re.DOTALL | re.MULTILINE)
TESTS = """
from rung.integrations.pytest import test_every_migration_can_be_undone

def test_one(migrated_database):
    with migrated_database.connect() as connection:
        connection.execute("INSERT INTO a VALUES (1)")
        assert connection.execute("SELECT count(*) FROM a").fetchall() == [(1,)]

test_two = test_one

def test_shared(worker_database, empty_database):
    assert worker_database.name != empty_database.name
"""
OTHER_SOURCE = """
import pathlib, pytest

@pytest.fixture(scope="session")
def rung_source():
    return str(pathlib.Path(__file__).parent / "m")
"""
OTHER_TEST = """
def test_other(migrated_database):
    with migrated_database.connect() as connection:
        connection.execute("SELECT FROM z")
"""
CONFIG = """
[pytest]
rung_source = migrations
addopts = -p rung.integrations.pytest -p xdist.plugin -p no:cacheprovider
"""


def write(folder: Path, down: str) -> Path:
    """Write two migrations, the first of which has this down and the second none."""
    migrations = folder / "migrations"
    migrations.mkdir()
    (migrations / "1_a.up.sql").write_text("CREATE TABLE a (id int); CREATE TABLE b ();")
    (migrations / "1_a.down.sql").write_text(down)
    (migrations / "2_c.up.sql").write_text("CREATE TABLE c ();")
    return migrations


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a project's tests."""
    (folder / "test_it.py").write_text(TESTS)
    (folder / "pytest.ini").write_text(CONFIG)
    return pytest(folder, "test_it.py", *words, **environment)


def pytest(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder, nothing loaded that is not asked for."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=kept | environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )


def test_a_project_with_workers(server: EmbeddedServer, tmp_path: Path) -> None:
    """On a server that is named, workers share a template, and each test has its own database."""
    write(tmp_path, "DROP TABLE a, b;")
    ran = run(tmp_path, "-n", "2", RUNG_TEST_SERVER=server.url("postgres"))

    assert (ran.returncode, "4 passed" in ran.stdout) == (0, True), ran.stdout


def test_the_page(server: EmbeddedServer, tmp_path: Path) -> None:
    """The project of docs/guides/pytest.md passes its tests, with a second source too."""
    install, conftest, settings, test, ready_made, second = FENCES.findall(PAGE.read_text())
    write(tmp_path, "DROP TABLE a, b;")
    second = second.replace("package:billing.migrations", str(tmp_path / "migrations"))
    (tmp_path / "conftest.py").write_text(f"import pytest\n{conftest}{second}")
    (tmp_path / "pyproject.toml").write_text(settings)
    billing = "def test_billing(billing_database):\n    assert billing_database.url\n"
    (tmp_path / "test_page.py").write_text(f"{ready_made}{test}{billing}")
    ran = pytest(tmp_path, "test_page.py", RUNG_TEST_SERVER=server.url("postgres"))

    assert (ran.returncode, "3 passed" in ran.stdout) == (0, True), ran.stdout
    assert install.startswith("pip install")


def test_a_project_without_a_server(tmp_path: Path) -> None:
    """Where none is named, one is started; a down that leaves something behind fails its test."""
    write(tmp_path, "DROP TABLE a;")
    ran = run(tmp_path)

    assert "1 failed, 3 passed" in ran.stdout
    assert "version 1, after its down: the database has table public.b" in ran.stdout
    assert (
        'version 1, the second time: migration 1 (a) failed: relation "b" already exists'
        in ran.stdout
    )


def test_without_its_setting(tmp_path: Path) -> None:
    """A project that does not say where its migrations are is told how to."""
    ran = run(tmp_path, "-o", "rung_source=")

    assert "name the migrations: rung_source in pytest's settings" in ran.stdout


def test_an_error_is_all_that_is_shown(tmp_path: Path) -> None:
    """A server that is not there is named without its password, without a traceback."""
    write(tmp_path, "DROP TABLE a, b;")
    ran = run(tmp_path, RUNG_TEST_SERVER="postgresql://u:hidden@127.0.0.1:1/d")

    assert "could not connect to the server for test databases" in ran.stdout
    assert not [word for word in ("hidden", "copies.py") if word in ran.stdout]


def test_two_sources(server: EmbeddedServer, tmp_path: Path) -> None:
    """Where a folder of tests names other migrations, its tests get databases of those."""
    write(tmp_path, "DROP TABLE a, b;")
    other = tmp_path / "other"
    (other / "m").mkdir(parents=True)
    (other / "m" / "1_z.up.sql").write_text("CREATE TABLE z ();")
    (other / "conftest.py").write_text(OTHER_SOURCE)
    (other / "test_other.py").write_text(OTHER_TEST)
    ran = run(tmp_path, "other", RUNG_TEST_SERVER=server.url("postgres"))

    assert "5 passed" in ran.stdout


def test_what_a_down_leaves_behind(database: Database, tmp_path: Path) -> None:
    """What is left by a down, and what is other after the second up, is told one by one."""
    down = "DROP TABLE a, b; CREATE SEQUENCE left_over; COMMENT ON SCHEMA public IS 'x';"
    source = write(tmp_path, down)
    (source / "1_a.up.sql").write_text(
        "DROP SEQUENCE IF EXISTS left_over; CREATE TABLE a (id int); CREATE TABLE b ();"
    )
    left = undo_differences(database.conninfo, source)

    assert all(sentence.startswith("version 1, ") for sentence in left)
    assert any("after its down: the database has sequence public.left_over" in s for s in left)
    assert any("the second time: the database has comment on schema public" in s for s in left)


def test_it_is_a_test_that_can_be_imported() -> None:
    """The ready-made test says what it shows, as each test of ours has to."""
    assert undone.__doc__
