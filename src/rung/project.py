"""
What a project says of its migrations: the table `[tool.rung]` of its pyproject.toml, as it stands.

`rung` and `migrate` both read it, so that both work on the same tables. What the keys mean is
settled above; a file that cannot be read is refused here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.errors import UsageError
from rung.redaction import redacted_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_WRITERS = "RUNG_LEDGER_WRITERS"


class ProjectTables(NamedTuple):
    """The names of our tables in a project, and who else is to write the ledger."""

    ledger: str | None = None
    history: str | None = None
    ledger_writers: tuple[str, ...] = ()


def read_project(directory: Path) -> tuple[Path | None, dict[str, object]]:
    """
    The nearest pyproject.toml upwards, and its table `[tool.rung]`; empty where it has none.

    Raises:
        UsageError: the file or the table cannot be understood.
    """
    files = (folder / "pyproject.toml" for folder in (directory, *directory.parents))
    file = next((file for file in files if file.is_file()), None)
    return file, {} if file is None else _read(file)


def project_tables(directory: Path, environ: Mapping[str, str]) -> ProjectTables:
    """
    The names that a project gives our tables, and the roles that are to write the ledger.

    Raises:
        UsageError: the file, the table or a name cannot be understood.
    """
    file, table = read_project(directory)
    for key in ("ledger-table", "history-table"):
        if not isinstance(table.get(key, ""), str):
            raise UsageError(f"{key} of [tool.rung] in {file} is no text.", "Put it in quotes.")
    ledger, history = (str(table.get(f"{which}-table") or "") for which in ("ledger", "history"))
    writers = writers_in(file, table)
    return ProjectTables(ledger or None, history or None, writers_named(environ) or writers)


def writers_named(environ: Mapping[str, str], given: str | None = None) -> tuple[str, ...]:
    """The roles that `--ledger-writers` names, or else RUNG_LEDGER_WRITERS."""
    return _roles(given or environ.get(_WRITERS))


def writers_in(file: Path | None, table: Mapping[str, object]) -> tuple[str, ...]:
    """
    The roles of `ledger-writers` in `[tool.rung]`: a list, or a text with commas between them.

    Raises:
        UsageError: it is neither.
    """
    value = table.get("ledger-writers")
    if value is None or isinstance(value, str):
        return _roles(value)
    if isinstance(value, list) and all(isinstance(name, str) and name for name in value):
        return tuple(value)
    raise UsageError(
        f"ledger-writers of [tool.rung] in {file} is not a list of roles.",
        'Write ledger-writers = ["NAME"].',
    )


def _roles(text: str | None) -> tuple[str, ...]:
    """The names between commas."""
    return tuple(name for part in (text or "").split(",") if (name := part.strip()))


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
        raise UsageError(
            f"{file} is no TOML: {redacted_words(str(error))}.", "Mend the file."
        ) from error
    table = tool.get("rung", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"tool.rung in {file} is no table.", "Write [tool.rung].")
    return table
