"""
Fixtures for every test; each module of them says what it gives.

Also decides which tests `make test` leaves to `make test-all`: those marked `slow`, and whole
folders and files that certify (golang-migrate beside us, faults, random stories, deployments, each
kind of dirty database, each planted secret and mistake, each error and hint, each exit code, time
in proportion to the text, other readers of SQL as judges, waits); and which of the rest `make unit`
leaves to `make test`: those marked `long`, files that start processes, and hypothesis' examples.
"""

import gc
from functools import cache
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
    *("conformance", "faults", "interop", "rolling", "integration/model"),
    *("integration/repair/test_cases.py", "integration/repair/test_no_row_is_lost.py"),
    *("integration/engine/test_planted.py", "integration/connections/test_planted.py"),
    *("integration/errors", "integration/cli/test_exit_codes.py", "integration/cli/test_repair.py"),
    "integration/integrations",
    *("integration/embedded/test_directories.py", "integration/embedded/test_lifetime.py"),
    *("integration/template_databases/test_plugin.py", "integration/engine/test_faults.py"),
    *("promises/test_imports.py", "promises/test_patterns.py", "promises/test_secrets.py"),
    *("unit/cli/test_redaction.py", "unit/script/test_scaling.py"),
    *("unit/script/test_judge.py", "unit/script/test_sqlite_judge.py"),
    *("integration/engine/test_copy.py", "integration/connections/test_wait.py"),
    "integration/connections/test_waits.py",
    *("integration/sqlite/test_at_once.py", "integration/traffic/test_locks.py"),
)

_LONG = {
    _HERE / "promises/test_lightness.py",
    _HERE / "promises/test_processes.py",
    _HERE / "unit/cli/test_main.py",
    _HERE / "unit/integrations/test_gate.py",
}
_NOT_COVERED = {
    _HERE / "conformance/test_random.py",
    _HERE / "integration/engine/test_copy.py",
    _HERE / "integration/errors/test_large_file.py",
    _HERE / "promises/test_house.py",
    _HERE / "promises/test_patterns.py",
    _HERE / "promises/test_secrets.py",
    _HERE / "promises/test_style.py",
    _HERE / "unit/script/test_judge.py",
    _HERE / "unit/script/test_large.py",
    _HERE / "unit/script/test_scaling.py",
    _HERE / "unit/script/test_sqlite_judge.py",
}
"""
They send large or many texts through code that other tests cover, or only read our own files:
tracing them is slow.
"""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file of which the mark that is asked for leaves nothing: each worker reads all."""
    if collection_path.suffix != ".py":
        return None
    marks, certifies = config.option.markexpr, _certifies(collection_path)
    if marks == "slow" and not certifies and "mark.slow" not in collection_path.read_text("utf-8"):
        return True
    if "not long" in marks and collection_path in _LONG:
        return True
    return True if "not slow" in marks and certifies else None


def pytest_collection_finish() -> None:
    """Leave what the tests imported out of every garbage collection: it stays to the end."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what certifies, as long what starts processes or tries many examples."""
    for item in items:
        if _certifies(item.path):
            item.add_marker(pytest.mark.slow)
        if item.path in _NOT_COVERED:
            item.add_marker(pytest.mark.no_cover)
        if item.path in _LONG or getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.long)


@cache  # it is asked for each test
def _certifies(path: Path) -> bool:
    return any(path.is_relative_to(_HERE / place) for place in _CERTIFYING)
