"""
Migrations whose bodies write down when they ran, and what is read from it.

The record is in a schema of its own, so that the ledger's stays empty. A body inserts and
sleeps, and takes no lock that would keep another body out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_RECORD = (
    "DROP SCHEMA IF EXISTS public, played CASCADE; CREATE SCHEMA public; CREATE SCHEMA played; "
    "CREATE TABLE played.log (version int, edge text, pid int DEFAULT pg_backend_pid(), "
    "who text DEFAULT current_setting('application_name'), "
    "at float DEFAULT extract(epoch FROM clock_timestamp()))"
)
_READ = (
    "SELECT b.version, b.who LIKE 'rung%', b.at, e.at FROM played.log b JOIN played.log e "
    "ON (b.version, b.pid, b.edge, e.edge) = (e.version, e.pid, 'begin', 'end') ORDER BY b.at"
)


class Body(NamedTuple):
    """One run of a migration's body."""

    version: int
    by_us: bool
    began: float
    ended: float


def body(version: int, between: str) -> str:
    """A body that does something between its two marks."""
    mark = "INSERT INTO played.log (version, edge) VALUES ({}, '{}');"
    return f"{mark.format(version, 'begin')}\n{between}\n{mark.format(version, 'end')}\n"


def slow(version: int, seconds: float) -> str:
    """A body that takes a while."""
    return body(version, f"SELECT pg_sleep({seconds});")


def write_slow(site: Site, *seconds: float) -> None:
    """Write versions 1, 2, … that take so long."""
    for version, length in enumerate(seconds, 1):
        site.add(f"{version}_slow", slow(version, length))


def begin_record(site: Site) -> None:
    """Empty the database and start a new record."""
    site.ask(_RECORD)


def bodies(site: Site) -> list[Body]:
    """Every body that ran and was committed, in the order they began."""
    return [Body(*row) for row in site.ask(_READ)]


def overlaps(ran: list[Body]) -> list[tuple[Body, Body]]:
    """The bodies that ran at the same time, each with the next."""
    return [(one, next_one) for one, next_one in pairwise(ran) if next_one.began < one.ended]
