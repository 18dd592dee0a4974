"""
Fixtures for every test; each module of them says what it gives.

Also decides which tests `make test` leaves to `make test-all`: those marked `slow`, and whole
folders that certify (golang-migrate beside us, faults, random stories, deployments).
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
    "rung.integrations.pytest",
]

_HERE = Path(__file__).parent
_CERTIFYING = ("conformance", "faults", "sharing", "rolling", "acceptance/model")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of a folder that certifies as slow."""
    slow = [_HERE / folder for folder in _CERTIFYING]
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in slow):
            item.add_marker(pytest.mark.slow)
