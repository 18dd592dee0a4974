"""
Where the settings come from: the command line, then the environment, then pyproject.toml.

The environment and the working directory are arguments. Of pyproject.toml the nearest one
upwards counts; a relative folder in it is relative to the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.cli.numbers import duration
from rung.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rung.cli.arguments import Request

EMBEDDED = "embedded"
_FOLDER = "embedded:"
_PACKAGE = "package:"
_KEYS = ("database", "source", "wait-for-lock")
_DEFAULT_SOURCE = "migrations"


@dataclass(frozen=True, slots=True)
class Settings:
    """What was settled; None where nobody named it."""

    database: str | None = None
    source: str | None = None
    wait_for_lock: float | None = None
    """Seconds; None waits as long as the other run lives."""

    def need_database(self) -> str:
        """
        The database.

        Raises:
            UsageError: nobody named one.
        """
        if self.database is None:
            raise UsageError(
                "No database is named.",
                "Pass --database URL, set RUNG_DATABASE or DATABASE_URL, or set database in "
                "[tool.rung] of pyproject.toml; --database embedded tries things out on a "
                "throw-away PostgreSQL.",
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
                "[tool.rung] of pyproject.toml; rung create NAME --source migrations makes the "
                "folder.",
            )
        return self.source


def settle(request: Request, environ: Mapping[str, str], directory: Path) -> Settings:
    """
    The settings of a request.

    Args:
        request: the command line.
        environ: RUNG_DATABASE, DATABASE_URL and RUNG_SOURCE; an empty one counts as not set.
        directory: the working directory.

    Raises:
        UsageError: pyproject.toml cannot be read, or has what we do not know.
    """
    table = project_table(directory)
    set_here = environ.get("RUNG_DATABASE") or environ.get("DATABASE_URL")
    source = request.source or environ.get("RUNG_SOURCE") or table.source
    if source is None and (directory / _DEFAULT_SOURCE).is_dir():
        source = _DEFAULT_SOURCE
    wait = table.wait_for_lock if request.wait_for_lock is None else request.wait_for_lock
    return Settings(request.database or set_here or table.database, source, wait)


def project_table(directory: Path) -> Settings:
    """
    What `[tool.rung]` says in the nearest pyproject.toml upwards.

    Raises:
        UsageError: the file or the table cannot be understood.
    """
    folders = (directory, *directory.parents)
    files = (folder / "pyproject.toml" for folder in folders)
    file = next((file for file in files if file.is_file()), None)
    table = {} if file is None else _read(file)
    if file is None or not table:
        return Settings()
    if unknown := sorted(set(table) - set(_KEYS)):
        raise UsageError(
            f"[tool.rung] in {file} has keys that mean nothing: {', '.join(unknown)}.",
            f"Known keys: {', '.join(_KEYS)}.",
        )
    return _settings(file, table)


def _read(file: Path) -> dict[str, object]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    if b"rung" not in content:
        return {}
    import tomllib

    try:
        tool = tomllib.loads(content.decode()).get("tool", {})
    except ValueError as error:
        raise UsageError(f"{file} is no TOML: {error}.", "Mend the file.") from error
    table = tool.get("rung", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"tool.rung in {file} is no table.", "Write [tool.rung].")
    return table


def _settings(file: Path, table: Mapping[str, object]) -> Settings:
    for key in _KEYS:
        if not isinstance(table.get(key, ""), str):
            raise UsageError(f"{key} of [tool.rung] in {file} is no text.", "Put it in quotes.")
    source, database = table.get("source"), table.get("database")
    wait = table.get("wait-for-lock")
    where = f"wait-for-lock of [tool.rung] in {file}"
    return Settings(
        _near(file, str(database), _FOLDER) if database else None,
        _near(file, str(source), "") if source else None,
        duration(str(wait), where) if wait else None,
    )


def _near(file: Path, value: str, prefix: str) -> str:
    """A folder named in a file, relative to that file; anything else is left as it is."""
    if value.startswith(_PACKAGE) or not value.startswith(prefix):
        return value
    return f"{prefix}{file.parent / value.removeprefix(prefix)}"
