"""PostgreSQL 14 and newer, through psycopg."""

from rung.drivers.postgres.driver import PostgresDriver

__all__ = ["PostgresDriver"]
