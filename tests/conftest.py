"""Fixtures for every test; each module of them says what it gives."""

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
