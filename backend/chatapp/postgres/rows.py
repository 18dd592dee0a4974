"""Run a named statement, and read its rows as values."""

from __future__ import annotations

from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import class_row

from chatapp.postgres.statements import statements

Connection = AsyncConnection[Any]

T = TypeVar("T")


async def one(connection: Connection, kind: type[T], which: str, **values: object) -> T | None:
    """Return the first row of a statement as a value; None where there is none."""
    async with connection.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(statements()[which], values)
        return await cursor.fetchone()


async def many(connection: Connection, kind: type[T], which: str, **values: object) -> list[T]:
    """Return every row of a statement as a value."""
    async with connection.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(statements()[which], values)
        return await cursor.fetchall()


async def run(connection: Connection, which: str, **values: object) -> int:
    """Run a statement, and return the number of affected rows."""
    cursor = await connection.execute(statements()[which], values)
    return cursor.rowcount
