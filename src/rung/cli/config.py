"""
Where the settings come from: the command line, then the environment, then pyproject.toml.

The environment and the working directory are arguments. Of pyproject.toml the nearest one
upwards counts; a relative folder in it is relative to the file.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rung.cli.values import duration
from rung.errors import UsageError
from rung.project import read_project, writers_in, writers_named
from rung.redaction import redacted_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.cli.arguments import ParsedArguments
    from rung.planning.plan import IfAhead

EMBEDDED = "embedded"
_FOLDER = "embedded:"
_PACKAGE = "package:"
_KEYS = (
    *("database", "source", "wait-for-lock", "role", "ledger-table", "history-table"),
    *("if-ahead", "lock-timeout", "lock-retry-for", "ledger-writers", "require-downs"),
)
_OF_LIBPQ = ("PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE")
"""Any of these names a database to libpq; PGUSER and others alone do not."""
_DEFAULT_SOURCE = "migrations"


@dataclass(frozen=True, slots=True)
class CliSettings:
    """What was settled; None where nobody named it."""

    database: str | None = None
    source: str | None = None
    wait_for_lock: float | None = None
    """Seconds; None waits as long as the other run lives."""
    role: str | None = None
    ledger_table: str | None = None
    history_table: str | None = None
    database_file: str | None = None
    """Holds the database, where nobody named it in a better way; read when it is needed."""
    if_ahead: IfAhead | None = None
    lock_timeout: float | None = None
    """Seconds, 0 for none; None for the library's own."""
    lock_retry_for: float | None = None
    """Likewise."""
    ledger_writers: tuple[str, ...] = ()
    """The roles that are to write the ledger besides ours."""
    require_downs: bool = False
    """Whether a check fails where a down is empty or missing."""
    scratch: str | None = None
    """The server on which `repair` tries files out; None for the embedded one."""

    def need_database(self) -> str:
        """
        The database.

        Raises:
            UsageError: nobody named one, or the file that holds it cannot be read.
        """
        if self.database_file is not None:
            return read_database_file(self.database_file)
        if self.database is None:
            raise UsageError(
                "No database is named.",
                "Pass --database URL, set RUNG_DATABASE, RUNG_DATABASE_FILE, DATABASE_URL or "
                "libpq's PGHOST, or set database in [tool.rung] of pyproject.toml; --database "
                "embedded tries things out on a throw-away PostgreSQL.",
            )
        return self.database

    def need_source(self) -> str:
        """
        The source of migrations.

        Raises:
            UsageError: nobody named one, and there is no folder `migrations`.
        """
        if self.source is None:
            raise UsageError(
                "No migrations are named, and there is no folder migrations here.",
                "Pass --source DIR or --source package:NAME, set RUNG_SOURCE, or set source in "
                "[tool.rung] of pyproject.toml; "
                "`rung create NAME --source migrations` makes the folder.",
            )
        return self.source


def resolve_settings(
    request: ParsedArguments, environ: Mapping[str, str], directory: Path
) -> CliSettings:
    """
    The settings of a request.

    Args:
        request: the command line.
        environ: RUNG_DATABASE, RUNG_DATABASE_FILE, DATABASE_URL, RUNG_SOURCE,
            RUNG_LEDGER_WRITERS, RUNG_SCRATCH and libpq's own; an empty one counts as not set.
        directory: the working directory.

    Raises:
        UsageError: pyproject.toml cannot be read, or has what we do not know.
    """
    table = project_table(directory)
    source = request.source or environ.get("RUNG_SOURCE") or table.source
    if source is None and (directory / _DEFAULT_SOURCE).is_dir():
        source = _DEFAULT_SOURCE
    database, file = _named(request, environ, table)
    return CliSettings(
        database,
        source,
        _first(request.wait_for_lock, table.wait_for_lock),
        request.role or table.role,
        _given(request.ledger_table, table.ledger_table),
        _given(request.history_table, table.history_table),
        file,
        request.if_ahead or table.if_ahead,
        _first(request.lock_timeout, table.lock_timeout),
        _first(request.lock_retry_for, table.lock_retry_for),
        writers_named(environ, request.ledger_writers) or table.ledger_writers,
        request.require_downs or table.require_downs,
        request.scratch or environ.get("RUNG_SCRATCH") or None,
    )


def _first(given: float | None, otherwise: float | None) -> float | None:
    """A number that was given, be it 0, or the project's."""
    return otherwise if given is None else given


def _given(name: str | None, otherwise: str | None) -> str | None:
    """A name that was given, be it empty, for the driver to refuse; or the project's."""
    return otherwise if name is None else name


def _named(
    request: ParsedArguments, environ: Mapping[str, str], table: CliSettings
) -> tuple[str | None, str | None]:
    """The database, or the file that holds it."""
    if named := request.database or environ.get("RUNG_DATABASE"):
        return named, None
    if file := environ.get("RUNG_DATABASE_FILE"):
        return None, file
    if named := environ.get("DATABASE_URL") or table.database:
        return named, None
    return ("" if any(environ.get(name) for name in _OF_LIBPQ) else None), None


def read_database_file(file: str) -> str:
    """
    What the file named by RUNG_DATABASE_FILE holds, without the end of its line.

    Raises:
        UsageError: it cannot be read, or holds nothing.
    """
    advice = "RUNG_DATABASE_FILE names a file with the database's URL in it, and nothing else."
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    else:
        with suppress(UnicodeDecodeError):
            if database := content.decode().strip("\r\n"):
                return database
        reason = "is not UTF-8" if content.strip(b"\r\n") else "is empty"
    raise UsageError(f"{redacted_word(file)}, which RUNG_DATABASE_FILE names, {reason}.", advice)


def project_table(directory: Path) -> CliSettings:
    """
    What `[tool.rung]` says in the nearest pyproject.toml upwards.

    Raises:
        UsageError: the file or the table cannot be understood.
    """
    file, table = read_project(directory)
    if file is None or not table:
        return CliSettings()
    if unknown := sorted(set(table) - set(_KEYS)):
        told = ", ".join(map(redacted_word, unknown))
        raise UsageError(
            f"[tool.rung] in {file} has keys that mean nothing: {told}.",
            f"Known keys: {', '.join(_KEYS)}.",
        )
    return _settings(file, table)


def _settings(file: Path, table: Mapping[str, object]) -> CliSettings:
    needs = table.get("require-downs", False)
    if not isinstance(needs, bool):
        raise UsageError(
            f"require-downs of [tool.rung] in {file} is neither true nor false.",
            "Write: require-downs = true",
        )
    for key in sorted(set(_KEYS) - {"require-downs", "ledger-writers"}):
        if not isinstance(table.get(key, ""), str):
            raise UsageError(f"{key} of [tool.rung] in {file} is no text.", "Put it in quotes.")
    source, database = table.get("source"), table.get("database")
    return CliSettings(
        _near(file, str(database), _FOLDER) if database else None,
        _near(file, str(source), "") if source else None,
        _duration(file, table, "wait-for-lock"),
        role=_text(table, "role"),
        ledger_table=_text(table, "ledger-table"),
        history_table=_text(table, "history-table"),
        if_ahead=_if_ahead(file, table.get("if-ahead")),
        lock_timeout=_duration(file, table, "lock-timeout"),
        lock_retry_for=_duration(file, table, "lock-retry-for"),
        ledger_writers=writers_in(file, table),
        require_downs=needs,
    )


def _duration(file: Path, table: Mapping[str, object], key: str) -> float | None:
    where = f"{key} of [tool.rung] in {file}"
    return duration(str(table[key]), where) if table.get(key) else None


def _text(table: Mapping[str, object], key: str) -> str | None:
    return str(table[key]) if table.get(key) else None


def _if_ahead(file: Path, value: object) -> IfAhead | None:
    match value:
        case None | "":
            return None
        case "compatible" | "fail" | "ok":
            return value
    raise UsageError(
        f"if-ahead of [tool.rung] in {file} is none of compatible, fail and ok.",
        "Write one of the three.",
    )


def _near(file: Path, value: str, prefix: str) -> str:
    """A folder named in a file, relative to that file; anything else is left as it is."""
    if value.startswith(_PACKAGE) or not value.startswith(prefix):
        return value
    return f"{prefix}{file.parent / value.removeprefix(prefix)}"
