"""
From a database URL of golang-migrate's to a database of Rung's, and how files run there.

The session is the one that golang-migrate's library would have: the same file stores other
dates under another DateStyle. What of the URL is golang-migrate's own (`x-…`) is taken out
here; the rest is a driver's to read. Asks no server.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from rung.database import Database
from rung.golang_migrate.faults import GoFault
from rung.golang_migrate.gostd.integers import NumberRefused, atoi, truth
from rung.golang_migrate.gostd.urls import written
from rung.golang_migrate.schemes import ErrorStyle
from rung.golang_migrate.source_urls import custom, for_the_library, settings_of
from rung.options import RunOptions
from rung.project import ProjectTables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.golang_migrate.gostd.urls import Url
    from rung.golang_migrate.schemes import Scheme

_OPEN = "failed to open database"
_TABLE, _QUOTED = "x-migrations-table", "x-migrations-table-quoted"
_FOR_THE_DRIVER = (_TABLE, _QUOTED)
_PQ = {
    "sslmode": ("require", ("PGSSLMODE", "PGSERVICE")),
    "host": ("localhost", ("PGHOST", "PGHOSTADDR", "PGSERVICE")),
    "DateStyle": ("ISO, MDY", ("PGDATESTYLE",)),
    "extra_float_digits": ("2", ()),
}
"""lib/pq's defaults, and the variables of the environment that stand above them."""
_MILLISECOND = 0.001
_ADVISORY = "advisory"


class GoDatabaseUrl(NamedTuple):
    """A database, how files run there, and whose words its errors have."""

    database: Database
    options: RunOptions
    tongue: ErrorStyle

    def __repr__(self) -> str:
        return "Address(***)"


def address_of(url: Url, scheme: Scheme, project: ProjectTables | None = None) -> GoDatabaseUrl:
    """
    Read a database URL.

    Args:
        url: by Go's rules.
        scheme: the driver that it names.
        project: the names of its tables, for what the URL does not name.

    Raises:
        Fault: a value of golang-migrate's own keys cannot be read.
    """
    settings = settings_of(url)
    own = {key: values[0] for key, values in custom(settings).items()}
    if scheme.tongue is ErrorStyle.SQLITE:
        return _sqlite(url, scheme, own, project or ProjectTables())
    _check_table(own)
    if scheme.locks_by_choice:
        _check_lock(own.get("x-lock-strategy") or _ADVISORY)
    options = RunOptions(
        passes_empty=True,
        runs_foreign_downs=True,
        carries_session=True,
        each_statement=_truth(own, "x-multi-statement"),
        time_limit=_time_limit(own),
        takes_tables=True,
        drops_current_schema=True,
        lock_retry_for=None,
        retries_refused_locks=False,
    )
    given = {key: values[0] for key, values in settings.items() if key not in own}
    given |= {key: own[key] for key in _FOR_THE_DRIVER if own.get(key)}
    if scheme.tongue is ErrorStyle.PQ:
        given |= _pq_defaults(url, given)
    place = written(replace(url, scheme=scheme.ours, query=None, fragment=""))
    named = f"{place}?{_query(given)}" if given else place
    names = ProjectTables() if own.get(_TABLE) or project is None else project
    table = None if own.get(_TABLE) else names.ledger or scheme.ledger_table
    writers = () if project is None else project.ledger_writers
    database = Database(
        named, ledger_table=table, history_table=names.history, ledger_writers=writers
    )
    return GoDatabaseUrl(database, options, scheme.tongue)


def _sqlite(
    url: Url, scheme: Scheme, own: Mapping[str, str], project: ProjectTables
) -> GoDatabaseUrl:
    """A raw space in a file's name becomes `%20` on the way, as there."""
    try:
        bare = truth(own.get("x-no-tx-wrap") or "false")
    except NumberRefused as error:
        raise GoFault(f"{_OPEN}: x-no-tx-wrap: {error}") from None
    options = RunOptions(
        passes_empty=True,
        runs_foreign_downs=True,
        carries_session=True,
        each_statement=bare,
        takes_tables=True,
        drops_current_schema=True,
    )
    names = ProjectTables(own[_TABLE]) if own.get(_TABLE) else project
    database = Database(
        for_the_library(replace(url, scheme=scheme.ours)),
        ledger_table=names.ledger,
        history_table=names.history,
    )
    return GoDatabaseUrl(database, options, scheme.tongue)


def _check_table(own: Mapping[str, str]) -> None:
    table = own.get(_TABLE, "")
    if not _truth(own, _QUOTED) or not table:
        return
    if not (table.startswith('"') and table.endswith('"')):
        raise GoFault(
            f"{_OPEN}: {_TABLE} must be quoted (for instance "
            f'\'"migrate"."schema_migrations"\') when {_QUOTED} is enabled, '
            f"current value is: {table}"
        )
    if table.count('"') > len('""""'):
        raise GoFault(f'{_OPEN}: "{table}" MigrationsTable contains too many dot characters')


def _check_lock(strategy: str) -> None:
    if strategy == "table":
        raise GoFault(
            f"{_OPEN}: x-lock-strategy=table is not supported",
            "A row that outlives its run is no lock. Leave the key out, for every tool that runs "
            "on this database: then all of them take the advisory lock.",
        )
    if strategy != _ADVISORY:
        raise GoFault(f'{_OPEN}: unknown lock strategy "{strategy}"')


def _truth(own: Mapping[str, str], key: str) -> bool:
    try:
        return truth(own.get(key) or "false")
    except NumberRefused as error:
        raise GoFault(f"{_OPEN}: unable to parse option {key}: {error}") from None


def _time_limit(own: Mapping[str, str]) -> float | None:
    """The limit in seconds; the size of a piece is read for its faults alone: none is too long."""
    try:
        atoi(own.get("x-multi-statement-max-size") or "0")
        milliseconds = atoi(own.get("x-statement-timeout") or "0")
    except NumberRefused as error:
        raise GoFault(f"{_OPEN}: {error}") from None
    return milliseconds * _MILLISECOND if milliseconds else None


def _pq_defaults(url: Url, given: Mapping[str, str]) -> dict[str, str]:
    """What lib/pq asks for where neither the URL nor the environment does."""
    named = {key.lower() for key in given}
    named |= {"host"} if url.host.partition(":")[0] else set()
    return {
        key: value
        for key, (value, variables) in _PQ.items()
        if key.lower() not in named and not any(map(os.environ.get, variables))
    }


def _query(given: Mapping[str, str]) -> str:
    return "&".join(
        f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in given.items()
    )
