"""The service's migrations, by the test that Rung gives to everybody."""

from rung.integrations.pytest import test_every_migration_can_be_undone

__all__ = ["test_every_migration_can_be_undone"]
