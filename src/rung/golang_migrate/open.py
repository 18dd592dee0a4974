"""
The two ends of a call, source and database: opened when they are needed.

golang-migrate opens both before it looks at its command. Here only what a command needs is
opened, and where the words are at fault both are, so that of several faults the one is told
that golang-migrate would tell. Opening a database connects and looks; it never writes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.drivers import open_driver
from rung.errors import DriverMissing, SourceError, UsageError
from rung.events import Warned, ignore
from rung.execution.command import Target
from rung.golang_migrate.database_urls import address_of
from rung.golang_migrate.faults import GoFault
from rung.golang_migrate.gostd.redact_url import masked
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
from rung.project import project_tables
from rung.render.hints import Repeated, repeated
from rung.source import read_source

if TYPE_CHECKING:
    from rung.drivers.contract import Driver
    from rung.events import Listener
    from rung.golang_migrate.database_urls import GoDatabaseUrl
    from rung.golang_migrate.gostd.urls import Url
    from rung.golang_migrate.schemes import Scheme
    from rung.source import MigrationSet


class Opening:
    """
    The ends of a call.

    Args:
        source: the source's URL; empty where none was given.
        folder: the folder of a `-path`, taken as it is; empty where the URL says it.
        database: the database's URL; empty where none was given.
        wait_for_lock: seconds; None waits as long as another run lives.
    """

    def __init__(
        self, source: str, folder: str, database: str, wait_for_lock: float | None
    ) -> None:
        self._source, self._folder, self._database = source, folder, database
        self._wait_for_lock = wait_for_lock

    @property
    def tongue(self) -> ErrorStyle:
        """Whose words the database's errors have."""
        return self._address.tongue

    @property
    def timed(self) -> bool:
        """Whether files run under a time limit."""
        return self._address.options.time_limit is not None

    @cached_property
    def migrations(self) -> MigrationSet:
        """
        The files of the source.

        Raises:
            Fault: a URL cannot be read, or the source not be opened.
        """
        self._check_schemes()
        shown = masked(self._source)
        try:
            return self._read_source()
        except (AddressRefused, UrlRefused) as error:
            raise GoFault(f'failed to open source, "{shown}": {error}') from None
        except SourceError as error:
            raise source_fault(shown, error) from None

    def target(self, listener: Listener = ignore, stop: CancelToken | None = None) -> Target:
        """
        The database, not yet connected to.

        Raises:
            Fault: source or database cannot be opened, as far as no server is asked.
        """
        assert self.migrations is not None
        options = self._address.options._replace(wait_for_lock=self._wait_for_lock)
        for note in self._driver.notes:
            listener(Warned(note))
        return Target(self._driver, listener, stop or CancelToken(), options)

    def check(self) -> None:
        """
        Open both, and look at the database.

        Raises:
            Fault, RungError: one of them cannot be opened.
        """
        self.target().look()

    def _check_schemes(self) -> None:
        """Golang-migrate reads both schemes before it opens the source."""
        for what, url in (("source", self._source), ("database", self._database)):
            try:
                scheme_of(url)
            except AddressRefused as error:
                raise GoFault(f"failed to parse scheme from {what} URL: {error}") from None

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
            shown = masked(self._database).partition(":")[0]
            said = f"database driver: unknown driver {shown} (forgotten import?)"
            raise GoFault(f"failed to open database: {said}")
        try:
            project = project_tables(Path.cwd(), os.environ)
            return address_of(parse(self._database), DATABASES[name], project)
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


def repeated_by(source: str, folder: str, database: str) -> Repeated:
    """
    What a command of `rung` needs of a call: the folder, the database, and the ledger's name.

    A URL that only golang-migrate's command reads is not repeated.
    """
    with suppress(AddressRefused, UrlRefused, GoFault, ValueError):
        scheme = DATABASES.get(scheme_of(database))
        address = address_of(parse(database), scheme) if scheme else None
        url = parse(database)
        table = first(settings_of(url), "x-migrations-table") or (scheme and scheme.ledger_table)
        options = {"--database": _for_rung(url, database, scheme)} if address and scheme else {}
        options |= {"--ledger-table": table} if table else {}
        place = source_folder(source) if source.startswith("file:") else folder
        return repeated(options, os.environ, place or None)
    return Repeated()


def _for_rung(url: Url, database: str, scheme: Scheme) -> str:
    """The URL as `rung` takes it; as it was given where nothing has to change."""
    keys = [pair for pair in (url.query or "").split("&") if pair and not pair.startswith("x-")]
    known = url.scheme == scheme.ours or url.scheme in ("postgres", "pgx", "pgx5")
    if known and len(keys) == len([pair for pair in (url.query or "").split("&") if pair]):
        return database
    head = database.partition("?")[0]
    head = head if known else scheme.ours + head[head.index(":") :]
    return f"{head}?{'&'.join(keys)}" if keys else head
