"""
Where the value of an option comes from: the command line, the environment, pyproject.toml.

The environment and the working directory are arguments. The nearest pyproject.toml upwards
counts; a relative folder in it is relative to the file.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rung.cli.options import OPTIONS, CliSettings
from rung.cli.values import quoted
from rung.errors import UsageError
from rung.project import names_of, read_project, text_of
from rung.redaction import redacted_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.cli.options import Option

EMBEDDED = "embedded"
_LIBPQ = ("PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE")
"""Each of these names a database for libpq; PGUSER and others alone do not."""
_DEFAULT_SOURCE = "migrations"


def resolve_settings(
    given: CliSettings, environ: Mapping[str, str], directory: Path
) -> CliSettings:
    """
    Complete the options of a command line.

    Args:
        given: the options of the command line.
        environ: the variables of the table of options, and libpq's; an empty one is not set.
        directory: the working directory.

    Raises:
        UsageError: pyproject.toml cannot be read, or has an unrecognized key or invalid value.
    """
    values: dict[str, Any] = {}
    project = project_settings(directory)
    for option in OPTIONS.values():
        name = option.attribute
        if not _is_unset(getattr(given, name)) or not (option.variables or option.is_key):
            continue
        variable = next((one for one in option.variables if environ.get(one)), None)
        if variable is None:
            values[name] = getattr(project, name)
        elif variable.endswith("_FILE"):
            values[f"{name}_file"] = environ[variable]
        elif option.metavar:
            values[name] = option.read(environ[variable], variable)
    if not (given.database or values.get("database") or values.get("database_file")):
        values["database"] = "" if any(environ.get(one) for one in _LIBPQ) else None
    if values.get("source", given.source) is None and (directory / _DEFAULT_SOURCE).is_dir():
        values["source"] = _DEFAULT_SOURCE
    return replace(given, **values)


def project_settings(directory: Path) -> CliSettings:
    """
    Read the options that `[tool.rung]` sets in the nearest pyproject.toml upwards.

    Raises:
        UsageError: the file or the table is invalid.
    """
    file, table = read_project(directory)
    if file is None or not table:
        return CliSettings()
    known = {option.key: option for option in OPTIONS.values() if option.is_key}
    if extra := sorted(set(table) - set(known)):
        shown = ", ".join(map(quoted, extra))
        what = f"unrecognized key{'s' * (len(extra) > 1)} of [tool.rung] in {file}: {shown}"
        raise UsageError(what, f"the keys are {', '.join(known)}")
    values = {known[key].attribute: _value(file, table, known[key]) for key in table}
    return CliSettings(**{name: value for name, value in values.items() if value != ""})


def read_database_file(file: str) -> str:
    """
    Read the file that RUNG_DATABASE_FILE names, without the end of its line.

    Raises:
        UsageError: it cannot be read, or is empty.
    """
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        reason = f"could not be read: {error.strerror}"
    else:
        with suppress(UnicodeDecodeError):
            if database := content.decode().strip("\r\n"):
                return database
        reason = "is not UTF-8" if content.strip(b"\r\n") else "is empty"
    raise UsageError(
        f"{redacted_word(file)}, which RUNG_DATABASE_FILE names, {reason}",
        "RUNG_DATABASE_FILE names a file with the database's URL in it, and nothing else",
    )


def _value(file: Path, table: Mapping[str, object], option: Option) -> Any:  # noqa: ANN401
    """Return the value of a key; a text that is empty counts as not set."""
    key, where = option.key, f"{option.key} of [tool.rung] in {file}"
    if not option.metavar:
        if not isinstance(table[key], bool):
            raise UsageError(f"{where} is not a boolean", f"write {key} = true")
        return table[key]
    if isinstance(getattr(CliSettings(), option.attribute), tuple):
        return names_of(file, table, key)
    text = text_of(file, table, key)
    for name, prefix in (("source", ""), ("database", f"{EMBEDDED}:")):
        if text and key == name and text.startswith(prefix) and not text.startswith("package:"):
            text = f"{prefix}{file.parent / text.removeprefix(prefix)}"
    return option.read(text, where) if text else ""


def _is_unset(value: object) -> bool:
    """Tell what was not given from a 0 and an empty name, which were."""
    return value is None or value is False or value == ()
