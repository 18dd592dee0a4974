"""
What a project says of its migrations: the table `[tool.rung]` of its pyproject.toml, as it stands.

`rung` and `migrate` both read it, so that both work on the same tables. What the keys mean is
settled above; a file that cannot be read is refused here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.errors import UsageError
from rung.masking import redacted_words

if TYPE_CHECKING:
    from pathlib import Path


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


def project_tables(directory: Path) -> ProjectTables:
    """
    The names that a project gives our tables.

    Raises:
        UsageError: the file, the table or a name cannot be understood.
    """
    file, table = read_project(directory)
    for key in ("ledger-table", "history-table"):
        if not isinstance(table.get(key, ""), str):
            raise UsageError(f"{key} of [tool.rung] in {file} is no text.", "Put it in quotes.")
    writers = table.get("ledger-writers", [])
    if not (isinstance(writers, list) and all(isinstance(name, str) for name in writers)):
        raise UsageError(f"ledger-writers of [tool.rung] in {file} is no list of names.")
    ledger, history = (str(table.get(f"{which}-table") or "") for which in ("ledger", "history"))
    return ProjectTables(ledger or None, history or None, tuple(writers))


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
