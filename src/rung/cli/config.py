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
from rung.cli.values import names_in, quoted
from rung.errors import UsageError
from rung.redaction import redacted_word, redacted_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    values = _values(OPTIONS.values(), given, environ, project_settings(directory))
    if not (given.database or values.get("database") or values.get("database_file")):
        values["database"] = "" if any(environ.get(one) for one in _LIBPQ) else None
    if values.get("source", given.source) is None and (directory / _DEFAULT_SOURCE).is_dir():
        values["source"] = _DEFAULT_SOURCE
    return replace(given, **values)


def shared_settings(environ: Mapping[str, str], directory: Path) -> CliSettings:
    """
    Read the options that `migrate` shares, so that both commands work on the same tables.

    Args:
        environ: an option's variable takes precedence over the file.
        directory: where to begin to look for pyproject.toml.

    Raises:
        UsageError: the file, the table or a name is invalid.
    """
    shared = [option for option in OPTIONS.values() if option.is_shared]
    file, table = read_project(directory)
    project = _settings_of(file, table, shared)
    return CliSettings(**_values(shared, CliSettings(), environ, project))


def _values(
    options: Iterable[Option], given: CliSettings, environ: Mapping[str, str], project: CliSettings
) -> dict[str, Any]:
    """Return what the environment, or else the project, says of options that were not given."""
    values: dict[str, Any] = {}
    for option in options:
        name = option.attribute
        value = getattr(given, name)
        # A 0 and an empty name were given.
        is_given = not (value is None or value is False or value == ())
        if is_given or not (option.variables or option.is_key):
            continue
        variable = next((one for one in option.variables if environ.get(one)), None)
        if variable is None:
            values[name] = getattr(project, name)
        elif variable.endswith("_FILE"):
            values[f"{name}_file"] = environ[variable]
        elif option.metavar:
            values[name] = option.read(environ[variable], variable)
    return values


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


def project_settings(directory: Path) -> CliSettings:
    """
    Read the options that `[tool.rung]` sets in the nearest pyproject.toml upwards.

    Raises:
        UsageError: the file or the table is invalid.
    """
    file, table = read_project(directory)
    known = {option.key: option for option in OPTIONS.values() if option.is_key}
    if extra := sorted(set(table) - set(known)):
        shown = ", ".join(map(quoted, extra))
        what = f"unrecognized key{'s' * (len(extra) > 1)} of [tool.rung] in {file}: {shown}"
        raise UsageError(what, f"the keys are {', '.join(known)}")
    return _settings_of(file, table, known.values())


def _settings_of(
    file: Path | None, table: Mapping[str, object], options: Iterable[Option]
) -> CliSettings:
    """Return the options that a table sets; a text that is empty counts as not set."""
    named = [option for option in options if option.key in table]
    values = {option.attribute: _value(file, table, option) for option in named if file}
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
    key, value, where = option.key, table[option.key], f"{option.key} of [tool.rung] in {file}"
    if not option.metavar:
        if not isinstance(value, bool):
            raise UsageError(f"{where} is not a boolean", f"write {key} = true")
        return value
    if isinstance(getattr(CliSettings(), option.attribute), tuple):
        listed = names_in(value) if isinstance(value, str) else value
        if not isinstance(listed, list | tuple) or not all(_is_name(one) for one in listed):
            raise UsageError(f"{where} is not a list of names", f'write {key} = ["NAME"]')
        return tuple(listed)
    if not isinstance(value, str):
        raise UsageError(f"{where} is not a string", "put it in quotes")
    for name, prefix in (("source", ""), ("database", f"{EMBEDDED}:")):
        if value and key == name and value.startswith(prefix) and not value.startswith("package:"):
            value = f"{prefix}{file.parent / value.removeprefix(prefix)}"
    return option.read(value, where) if value else ""


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""
