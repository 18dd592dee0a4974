"""
Fixtures for every test; each module of them says what it gives.

Also decides which tests `make test` leaves to `make test-all`: those marked `slow`, and whole
folders and files that certify (golang-migrate beside us, faults, random stories, deployments, each
kind of dirty database, each planted secret and mistake, each error and hint, each exit code, time
in proportion to the text, other readers of SQL as judges, waits).
"""

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes is the machine's affair.
settings.register_profile("rung", deadline=None)
settings.load_profile("rung")

pytest_plugins = [
    "tests.processes",
    "tests.servers",
    "tests.poolers",
    "tests.browser",
    "rung.integrations.pytest",
]

_HERE = Path(__file__).parent
_CERTIFYING = (
    *("conformance", "faults", "sharing", "rolling", "acceptance/model"),
    *("acceptance/repair/test_cases.py", "acceptance/repair/test_no_row_is_lost.py"),
    *("acceptance/engine/test_planted.py", "acceptance/connections/test_planted.py"),
    *("acceptance/errors", "acceptance/cli/test_exit_codes.py", "acceptance/cli/test_repairing.py"),
    "acceptance/integrations",
    *("acceptance/embedded/test_places.py", "acceptance/embedded/test_lifetime.py"),
    *("acceptance/copies/test_plugin.py", "acceptance/engine/test_faults.py"),
    *("promises/test_imports.py", "promises/test_patterns.py", "promises/test_secrets.py"),
    *("unit/cli/test_redaction.py", "unit/statements/test_scaling.py"),
    *("unit/statements/test_judge.py", "unit/statements/test_sqlite_judge.py"),
    *("acceptance/engine/test_copy.py", "acceptance/connections/test_waiting.py"),
    "acceptance/connections/test_waits.py",
    *("acceptance/sqlite/test_at_once.py", "acceptance/traffic/test_locks.py"),
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file of which the mark that is asked for leaves nothing: each worker reads all."""
    if collection_path.suffix != ".py":
        return None
    marks, certifies = config.option.markexpr, _certifies(collection_path)
    if marks == "slow" and not certifies and "mark.slow" not in collection_path.read_text("utf-8"):
        return True
    return True if marks == "not slow" and certifies else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of a folder or file that certifies as slow."""
    for item in items:
        if _certifies(item.path):
            item.add_marker(pytest.mark.slow)


def _certifies(path: Path) -> bool:
    return any(path.is_relative_to(_HERE / place) for place in _CERTIFYING)
