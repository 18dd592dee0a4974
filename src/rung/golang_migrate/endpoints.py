"""
The source and the database of an invocation, opened when they are needed.

golang-migrate opens both before it reads its command. Here a command opens what it needs, and both
where its arguments are wrong, so that of several faults the one is reported that golang-migrate
would report. Opening a database connects and inspects; it never writes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.cli.config import shared_settings
from rung.cli.hints import Repeated, repeated
from rung.drivers import open_driver
from rung.errors import DriverMissing, SourceError, UsageError
from rung.events import Warned, ignore
from rung.execution.command import Target
from rung.golang_migrate.database_urls import parse_database_url
from rung.golang_migrate.faults import GoFault
from rung.golang_migrate.gostd.redact_url import redacted_url
from rung.golang_migrate.gostd.urls import UrlRefused, parse
from rung.golang_migrate.messages import source_fault
from rung.golang_migrate.schemes import DATABASES, SOURCES, ErrorStyle
from rung.golang_migrate.source_urls import (
    AddressRefused,
    first,
    scheme_of,
    settings_of,
    source_folder,
    source_scheme,
)
from rung.source import read_source

if TYPE_CHECKING:
    from rung.drivers.contract import Driver
    from rung.events import Listener
    from rung.golang_migrate.database_urls import GoDatabaseUrl
    from rung.golang_migrate.gostd.urls import Url
    from rung.golang_migrate.schemes import Scheme
    from rung.source import MigrationSet


class Endpoints:
    """
    The source and the database of an invocation.

    Args:
        source: the source's URL; may be empty.
        folder: the folder of `-path`, used unchanged; empty where `source` names it.
        database: the database's URL; may be empty.
        wait_for_lock: seconds; None waits until the other run ends.
    """

    def __init__(
        self, source: str, folder: str, database: str, wait_for_lock: float | None
    ) -> None:
        self._source, self._folder, self._database = source, folder, database
        self._wait_for_lock = wait_for_lock

    @property
    def error_style(self) -> ErrorStyle:
        """Return the style of the database's errors."""
        return self._address.error_style

    @property
    def has_time_limit(self) -> bool:
        """Report whether files run under a time limit."""
        return self._address.options.time_limit is not None

    @cached_property
    def migrations(self) -> MigrationSet:
        """
        Return the files of the source.

        Raises:
            GoFault: a URL cannot be read, or the source cannot be opened.
        """
        self._check_schemes()
        shown = redacted_url(self._source)
        try:
            return self._read_source()
        except (AddressRefused, UrlRefused) as error:
            raise GoFault(f'failed to open source, "{shown}": {error}') from None
        except SourceError as error:
            raise source_fault(shown, error) from None

    def target(self, listener: Listener = ignore, stop: CancelToken | None = None) -> Target:
        """
        Return the database, not connected yet.

        Raises:
            GoFault: source or database cannot be opened, for a reason that needs no connection.
        """
        assert self.migrations is not None
        options = self._address.options._replace(wait_for_lock=self._wait_for_lock)
        for note in self._driver.warnings:
            listener(Warned(note))
        return Target(self._driver, listener, stop or CancelToken(), options)

    def check(self) -> None:
        """
        Open both, and inspect the database.

        Raises:
            GoFault, RungError: one of them cannot be opened.
        """
        self.target().inspect()

    def _check_schemes(self) -> None:
        """Check both schemes, as golang-migrate does before it opens the source."""
        for which, url in (("source", self._source), ("database", self._database)):
            try:
                scheme_of(url)
            except AddressRefused as error:
                raise GoFault(f"failed to parse scheme from {which} URL: {error}") from None

    def _read_source(self) -> MigrationSet:
        scheme = source_scheme(self._source) if not self._folder else SOURCES[0]
        if scheme not in SOURCES:
            raise AddressRefused(f"source driver: unknown driver '{scheme}' (forgotten import?)")
        folder = self._folder or source_folder(self._source)
        return read_source(folder, any_extension=True)

    @cached_property
    def _address(self) -> GoDatabaseUrl:
        name = scheme_of(self._database)
        if name not in DATABASES:
            shown = redacted_url(self._database).partition(":")[0]
            reason = f"database driver: unknown driver {shown} (forgotten import?)"
            raise GoFault(f"failed to open database: {reason}")
        try:
            project = shared_settings(os.environ, Path.cwd())
            return parse_database_url(parse(self._database), DATABASES[name], project)
        except UrlRefused as error:
            raise GoFault(f"failed to open database: {error}") from None
        except UsageError as error:
            raise GoFault(f"failed to open database: {error.cause}", error.hint) from None

    @cached_property
    def _driver(self) -> Driver:
        try:
            return open_driver(self._address.database, as_golang_migrate=True)
        except (DriverMissing, UsageError) as error:
            raise GoFault(f"failed to open database: {error.cause}", error.hint) from None


def options_for_rung(source: str, folder: str, database: str) -> Repeated:
    """
    Return the options for a command of `rung` on the same folder, database and ledger.

    A URL that only golang-migrate's command reads is left out.
    """
    with suppress(AddressRefused, UrlRefused, GoFault, ValueError):
        scheme = DATABASES.get(scheme_of(database))
        address = parse_database_url(parse(database), scheme) if scheme else None
        url = parse(database)
        table = first(settings_of(url), "x-migrations-table") or (scheme and scheme.ledger_table)
        options = {"--database": _rung_url(url, database, scheme)} if address and scheme else {}
        options["--ledger-table"] = table or ""
        options["--source"] = source_folder(source) if source.startswith("file:") else folder
        return repeated(options.items(), os.environ)
    return Repeated()


def _rung_url(url: Url, database: str, scheme: Scheme) -> str:
    """Return the URL for `rung`; unchanged where nothing has to change."""
    keys = [pair for pair in (url.query or "").split("&") if pair and not pair.startswith("x-")]
    is_known = url.scheme == scheme.rung_scheme or url.scheme in ("postgres", "pgx", "pgx5")
    if is_known and len(keys) == len([pair for pair in (url.query or "").split("&") if pair]):
        return database
    head = database.partition("?")[0]
    head = head if is_known else scheme.rung_scheme + head[head.index(":") :]
    return f"{head}?{'&'.join(keys)}" if keys else head
