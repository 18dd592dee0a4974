"""The database: its pool, its schema and its statements. All SQL is in this package."""

from chatapp.postgres import store
from chatapp.postgres.pool import Pool, make_pool
from chatapp.postgres.schema import (
    SOURCE,
    SchemaReader,
    SchemaState,
    migrations,
    run_migrations,
)

__all__ = [
    "SOURCE",
    "Pool",
    "SchemaReader",
    "SchemaState",
    "make_pool",
    "migrations",
    "run_migrations",
    "store",
]
