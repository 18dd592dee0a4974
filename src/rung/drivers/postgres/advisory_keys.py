"""
The advisory keys that exclude other runs, and their taking and giving back.

One key is ours. The others are golang-migrate's for this ledger, in both usual forms: its
command line hashes the database's name with the slash of the URL before it, its library
without. All are taken by trying: a query that waits for a lock holds a snapshot, on which a
concurrent index build of the holder would wait in turn, until one of the two is shot.

The formula of golang-migrate's keys: CRC-32 (IEEE) of schema, table and database joined by
NUL bytes, times 1486364155, modulo 2^32.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.drivers.postgres.quoting import Sql, statement

if TYPE_CHECKING:
    from rung.drivers.postgres.table_names import Table

_SALT = 1486364155
_OURS = 0x52756E67
"""The upper half of our key: above every key of golang-migrate's, which fit in 32 bits."""


def foreign_key(schema: str, table: str, database: str) -> int:
    """golang-migrate's advisory key for a ledger, by the name it knows the database by."""
    name = b"\0".join(part.encode() for part in (schema, table, database))
    return zlib.crc32(name) * _SALT & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one ledger."""

    ours: int
    foreign: tuple[int, ...]

    @classmethod
    def of(cls, ledger: Table, database: str, path: str = "") -> Keys:
        """
        The keys of a ledger in a database.

        Args:
            ledger: with its schema.
            database: the database's own name.
            path: the path of the URL that we were given; where it is not the database's name
                with a slash, golang-migrate's command locks by it, given the same URL.
        """
        names = dict.fromkeys((f"/{database}", database, path or database))
        keys = tuple(foreign_key(ledger.schema or "", ledger.name, name) for name in names)
        return cls(_OURS << 32 | keys[1], keys)

    @property
    def all(self) -> tuple[int, ...]:
        """Every key, ours first."""
        return (self.ours, *self.foreign)


def take(keys: tuple[int, ...], unless: Sql | None = None) -> Sql:
    """
    Try each key until one is not to be had; the number of those taken.

    CASE goes from left to right: of two runs that try at once one gets the first key, and
    the other touches no further one, so that they cannot turn each other away. None is
    touched where `unless` is true.
    """
    first = f"WHEN {unless} THEN 0 " if unless else ""
    tries = (
        f"WHEN NOT pg_catalog.pg_try_advisory_lock({key}) THEN {number}"
        for number, key in enumerate(keys)
    )
    return Sql(f"SELECT CASE {first}{' '.join(tries)} ELSE {len(keys)} END")


def try_for_transaction(keys: tuple[int, ...]) -> Sql:
    """
    Try each key for the transaction alone, until one is not to be had; whether all were.

    From left to right, as `take` does.
    """
    tries = (f"WHEN NOT pg_catalog.pg_try_advisory_xact_lock({key}) THEN false" for key in keys)
    return Sql(f"CASE {' '.join(tries)} ELSE true END")


def held(keys: tuple[int, ...]) -> Sql:
    """A condition on a row of pg_locks named `l`: it is a hold on one of these keys."""
    return statement("holds_a_key", keys=Sql(", ".join(map(str, keys))))


def give_back(keys: tuple[int, ...]) -> Sql:
    """Give each key back; a row of booleans."""
    return Sql("SELECT " + ", ".join(f"pg_catalog.pg_advisory_unlock({key})" for key in keys))
