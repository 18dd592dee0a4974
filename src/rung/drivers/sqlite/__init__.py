"""SQLite by the contract of `rung.drivers.contract`, with Python's own sqlite3."""

from rung.drivers.sqlite.driver import SqliteDriver

__all__ = ["SqliteDriver"]
