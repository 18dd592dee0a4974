"""What costs nothing: importing Rung, asking for help, making files."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

DRIVERS = {"psycopg", "psycopg_c", "psycopg_binary", "sqlite3"}
HEAVY = DRIVERS | {"logging", "asyncio", "rich", "importlib.metadata", "tempfile"}
REPORT = "import sys; print('LOADED', *sorted(sys.modules))"


def loaded(code: str, folder: Path) -> set[str]:
    """The modules that a fresh process has loaded after some code."""
    command = [sys.executable, "-c", f"{code}\n{REPORT}"]
    # A measurement of coverage loads modules of its own into every process.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    ran = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=folder, env=environment
    )
    return set(ran.stdout.partition("LOADED ")[2].split())


def commanded(*words: str) -> str:
    """Code that runs the command in its process."""
    return f"from rung.cli.main import main\nassert main({list(words)!r}) == 0"


def migrated(*words: str) -> str:
    """Code that runs the command `migrate` in its process."""
    return f"from rung.golang_migrate.main import main\nassert main({list(words)!r}) == 0"


@pytest.mark.parametrize(
    "code",
    [
        "import rung",
        "import rung.errors",
        commanded("--help"),
        commanded("up", "--help"),
        commanded("--version"),
        commanded("create", "add_users", "--source", "migrations"),
        commanded("create", "add_users", "--source", "migrations", "--timestamp"),
        migrated("-help"),
        migrated("-version"),
        migrated("up", "-help"),
        migrated("create", "-ext", "sql", "add_users"),
        migrated("create", "-ext", "sql", "-seq", "add_users"),
    ],
)
def test_light(code: str, tmp_path: Path) -> None:
    """None of these loads a database driver or a slow part of the standard library."""
    assert loaded(code, tmp_path) & HEAVY == set()


@pytest.mark.parametrize(
    "code",
    [
        "import rung\nrung.Migrator\nrung.run_migrations\nrung.run_migrations_async",
        "from rung import *",
    ],
)
def test_names_load_no_driver(code: str, tmp_path: Path) -> None:
    """The library's names can all be had without a driver; naming a database loads one."""
    assert loaded(code, tmp_path) & DRIVERS == set()


def test_a_driver_is_loaded_for_a_database(tmp_path: Path) -> None:
    """The measure measures: naming a database loads its driver."""
    code = "import rung\nrung.Migrator('postgres://h/x', 'f')"

    assert "psycopg" in loaded(code, tmp_path)


def test_each_database_loads_its_own_driver_alone(tmp_path: Path) -> None:
    """SQLite is used without psycopg, and PostgreSQL without sqlite3."""
    found = {
        url: loaded(f"import rung\nrung.Migrator('{url}', 'f')", tmp_path) & DRIVERS
        for url in ("sqlite://a.db", "sqlite3://a.db", "postgres://h/x")
    }

    assert found["sqlite://a.db"] == found["sqlite3://a.db"] == {"sqlite3"}
    assert "sqlite3" not in found["postgres://h/x"]


def test_importing_rung_loads_two_modules(tmp_path: Path) -> None:
    """`import rung` itself loads nothing of Rung but its version."""
    found = {name for name in loaded("import rung", tmp_path) if name.split(".")[0] == "rung"}

    assert found == {"rung", "rung._version"}


def test_as_a_module(tmp_path: Path) -> None:
    """`python -m rung` is the command."""
    command = [sys.executable, "-m", "rung", "--help"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)

    assert "usage: rung COMMAND" in ran.stdout
    assert ran.stderr == ""
