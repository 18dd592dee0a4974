"""Fixtures for every test; each module of them says what it gives."""

pytest_plugins = ["tests.servers", "tests.poolers", "rung.integrations.pytest"]
