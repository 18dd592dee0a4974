"""
Translate a database URL of golang-migrate into a database of Rung and the options of its runs.

The session has the settings of golang-migrate's library: the same file stores other dates under
another DateStyle. golang-migrate's own keys (`x-…`) are read here, the rest by the driver. Connects
to no server.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from rung.cli.options import CliSettings
from rung.database import Database
from rung.golang_migrate.faults import GoFault
from rung.golang_migrate.gostd.integers import NumberRefused, atoi, truth
from rung.golang_migrate.gostd.urls import written
from rung.golang_migrate.schemes import ErrorStyle
from rung.golang_migrate.source_urls import custom, library_url, settings_of
from rung.options import RunOptions

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
"""lib/pq's defaults, and the environment variables that override them."""
_MILLISECOND = 0.001
_ADVISORY = "advisory"


class GoDatabaseUrl(NamedTuple):
    """A database, the options of its runs, and the style of its errors."""

    database: Database
    options: RunOptions
    error_style: ErrorStyle

    def __repr__(self) -> str:
        return "Address(***)"


def parse_database_url(
    url: Url, scheme: Scheme, project: CliSettings | None = None
) -> GoDatabaseUrl:
    """
    Read a database URL.

    Args:
        url: parsed by Go's rules.
        scheme: the driver that the URL names.
        project: the names of its tables, for those that the URL does not name.

    Raises:
        GoFault: a value of golang-migrate's own keys cannot be read.
    """
    settings = settings_of(url)
    custom_values = {key: values[0] for key, values in custom(settings).items()}
    if scheme.error_style is ErrorStyle.SQLITE:
        return _parse_sqlite(url, scheme, custom_values, project or CliSettings())
    _check_table(custom_values)
    if scheme.has_lock_strategy:
        _check_lock(custom_values.get("x-lock-strategy") or _ADVISORY)
    options = RunOptions(
        passes_empty=True,
        runs_foreign_downs=True,
        carries_session=True,
        each_statement=_boolean(custom_values, "x-multi-statement"),
        time_limit=_time_limit(custom_values),
        takes_tables=True,
        drops_current_schema=True,
        lock_retry_for=None,
        retries_refused_locks=False,
    )
    driver_values = {key: values[0] for key, values in settings.items() if key not in custom_values}
    driver_values |= {key: custom_values[key] for key in _FOR_THE_DRIVER if custom_values.get(key)}
    if scheme.error_style is ErrorStyle.PQ:
        driver_values |= _pq_defaults(url, driver_values)
    base = written(replace(url, scheme=scheme.rung_scheme, query=None, fragment=""))
    query = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in driver_values.items())
    location = f"{base}?{query}" if driver_values else base
    names = CliSettings() if custom_values.get(_TABLE) or project is None else project
    table = None if custom_values.get(_TABLE) else names.ledger_table or scheme.ledger_table
    writers = () if project is None else project.ledger_writers
    database = Database(
        location, ledger_table=table, history_table=names.history_table, ledger_writers=writers
    )
    return GoDatabaseUrl(database, options, scheme.error_style)


def _parse_sqlite(
    url: Url, scheme: Scheme, custom_values: Mapping[str, str], project: CliSettings
) -> GoDatabaseUrl:
    """Read a SQLite URL; a raw space in a file's name becomes `%20`, as in golang-migrate."""
    try:
        runs_by_statement = truth(custom_values.get("x-no-tx-wrap") or "false")
    except NumberRefused as error:
        raise GoFault(f"{_OPEN}: x-no-tx-wrap: {error}") from None
    options = RunOptions(
        passes_empty=True,
        runs_foreign_downs=True,
        carries_session=True,
        each_statement=runs_by_statement,
        takes_tables=True,
        drops_current_schema=True,
    )
    names = (
        CliSettings(ledger_table=custom_values[_TABLE]) if custom_values.get(_TABLE) else project
    )
    database = Database(
        library_url(replace(url, scheme=scheme.rung_scheme)),
        ledger_table=names.ledger_table,
        history_table=names.history_table,
    )
    return GoDatabaseUrl(database, options, scheme.error_style)


def _check_table(custom_values: Mapping[str, str]) -> None:
    table = custom_values.get(_TABLE, "")
    if not _boolean(custom_values, _QUOTED) or not table:
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


def _boolean(custom_values: Mapping[str, str], key: str) -> bool:
    try:
        return truth(custom_values.get(key) or "false")
    except NumberRefused as error:
        raise GoFault(f"{_OPEN}: unable to parse option {key}: {error}") from None


def _time_limit(custom_values: Mapping[str, str]) -> float | None:
    """Return the limit in seconds; the maximum size is only checked: no statement is too long."""
    try:
        atoi(custom_values.get("x-multi-statement-max-size") or "0")
        milliseconds = atoi(custom_values.get("x-statement-timeout") or "0")
    except NumberRefused as error:
        raise GoFault(f"{_OPEN}: {error}") from None
    return milliseconds * _MILLISECOND if milliseconds else None


def _pq_defaults(url: Url, driver_values: Mapping[str, str]) -> dict[str, str]:
    """Return lib/pq's defaults for what neither the URL nor the environment sets."""
    set_keys = {key.lower() for key in driver_values}
    set_keys |= {"host"} if url.host.partition(":")[0] else set()
    return {
        key: value
        for key, (value, variables) in _PQ.items()
        if key.lower() not in set_keys and not any(map(os.environ.get, variables))
    }
