"""
Read `[tool.rung]` of pyproject.toml.

`rung` and `migrate` both read it, so that both work on the same tables. `rung` reads every key
(see `rung.cli.options`), `migrate` the names of the tables and who writes the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.errors import UsageError
from rung.redaction import redacted_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LEDGER_WRITERS = "RUNG_LEDGER_WRITERS"


class ProjectTables(NamedTuple):
    """The names of a project's ledger and history, and which other roles write the ledger."""

    ledger: str | None = None
    history: str | None = None
    ledger_writers: tuple[str, ...] = ()


def read_project(directory: Path) -> tuple[Path | None, dict[str, object]]:
    """
    Find the nearest pyproject.toml upwards.

    Returns:
        The file, and its table `[tool.rung]`, empty where it has none.

    Raises:
        UsageError: the file or the table is invalid.
    """
    files = (folder / "pyproject.toml" for folder in (directory, *directory.parents))
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return None, {}
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"could not read {file}: {error.strerror}") from error
    if b"rung" not in content:
        return file, {}
    import tomllib

    try:
        tool = tomllib.loads(content.decode()).get("tool", {})
    except ValueError as error:
        reason = redacted_words(str(error))
        raise UsageError(f"invalid TOML in {file}: {reason}", "fix the file") from error
    table = tool.get("rung", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"tool.rung in {file} is not a table", "write [tool.rung]")
    return file, table


def project_tables(directory: Path, environ: Mapping[str, str]) -> ProjectTables:
    """
    Read what `migrate` needs of a project.

    Args:
        directory: where to begin to look for pyproject.toml.
        environ: RUNG_LEDGER_WRITERS takes precedence over the file.

    Raises:
        UsageError: the file, the table or a name is invalid.
    """
    file, table = read_project(directory)
    return ProjectTables(
        text_of(file, table, "ledger-table") or None,
        text_of(file, table, "history-table") or None,
        names_in(environ.get(LEDGER_WRITERS, "")) or names_of(file, table, "ledger-writers"),
    )


def text_of(file: Path | None, table: Mapping[str, object], key: str) -> str:
    """
    Return the text of a key; empty where it is not set.

    Raises:
        UsageError: it is not a string.
    """
    value = table.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"{key} of [tool.rung] in {file} is not a string", "put it in quotes")
    return value


def names_of(file: Path | None, table: Mapping[str, object], key: str) -> tuple[str, ...]:
    """
    Return the names of a key: a list, or a string with commas between them.

    Raises:
        UsageError: it is neither.
    """
    value = table.get(key, "")
    if isinstance(value, str):
        return names_in(value)
    if isinstance(value, list) and all(isinstance(name, str) and name for name in value):
        return tuple(value)
    raise UsageError(
        f"{key} of [tool.rung] in {file} is not a list of names", f'write {key} = ["NAME"]'
    )


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a text with commas between them."""
    return tuple(name for part in text.split(",") if (name := part.strip()))
