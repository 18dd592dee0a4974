"""The help of `rung`, and docs/reference/options.md: both are made from the two tables."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rung.cli.commands import COMMANDS
from rung.cli.exit_codes import ExitCode
from rung.cli.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.cli.options import Option

_WIDTH = 80
_COLUMN = 26
_EVERY = (ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE)
_SIGNALS = (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
_OF_A_DATABASE = (ExitCode.LOCKED, ExitCode.NO_CONNECTION)


def overview() -> str:
    """Return the text of `rung help`."""
    commands = ((f"{name} {one.usage}".rstrip(), one.summary) for name, one in COMMANDS.items())
    common = ("--database", "--source", "--yes", "--json", "--help", "--version")
    return "\n".join(
        (
            "Plain-SQL, versioned, reversible database migrations.",
            "",
            "usage: rung COMMAND [OPTIONS]",
            "",
            "commands:",
            *_rows(commands),
            "",
            "options of every command, before or after it:",
            *_rows(map(_described, (OPTIONS[name] for name in common))),
            "",
            "`rung help COMMAND` shows the options of a command,",
            "`rung help options` the options of every command.",
        )
    )


def command_help(name: str) -> str:
    """Return the text of `rung help NAME`: what is its own first."""
    command = COMMANDS[name]
    own = [one for one in OPTIONS.values() if not one.is_common and one.is_of(name)]
    arguments = [(one.metavar, one.help) for one in command.arguments]
    uses_database = name not in ("create", "certify")
    codes = sorted({*_EVERY, *command.codes, *_SIGNALS, *(_OF_A_DATABASE if uses_database else ())})
    lines = [
        f"usage: rung {name} {command.usage}".rstrip() + " [OPTIONS]",
        "",
        *textwrap.wrap(f"{command.summary[0].upper()}{command.summary[1:]}.", _WIDTH),
    ]
    for title, rows in (("arguments", arguments), ("options", [_described(one) for one in own])):
        if rows:
            lines += ["", f"{title}:", *_rows(rows)]
    lines += ["", "example:", f"  {command.example}"]
    lines += ["", "exit codes:", *_rows(((str(code), code.__doc__ or "") for code in codes), 8)]
    common = "--database, --json, --yes, ..."
    return "\n".join([*lines, "", f"options of every command ({common}): `rung help options`"])


def options_help() -> str:
    """Return the text of `rung help options`: the options of every command."""
    rows = [_described(one) for one in OPTIONS.values() if one.is_common]
    keys = [one.key for one in OPTIONS.values() if one.is_key]
    return "\n".join(
        (
            "options of every command, before or after it:",
            *_rows(rows),
            "",
            "The command line takes precedence over the environment, and the environment",
            "over [tool.rung] in pyproject.toml, where a key has the name of its option.",
            *textwrap.wrap(f"The keys are {', '.join(keys)}.", _WIDTH),
        )
    )


def options_page() -> str:
    """Return docs/reference/options.md."""
    own = [one for one in OPTIONS.values() if not one.is_common]
    common = [one for one in OPTIONS.values() if one.is_common]
    return "\n".join(
        (
            "# Options",
            "",
            "This page is made from the table in `src/rung/cli/options.py`; a test compares both.",
            "",
            "An option stands before or after the command. The command line takes precedence over",
            "the environment, and the environment over `[tool.rung]` in the nearest",
            "`pyproject.toml` upwards, where a key has the name of its option. An empty variable",
            "counts as not set.",
            "",
            "```toml",
            "[tool.rung]",
            'source = "backend/migrations"',
            'lock-timeout = "500ms"',
            "```",
            "",
            "## Options of every command",
            "",
            *_table(common, with_commands=False),
            "",
            "## Options of some commands",
            "",
            *_table(own, with_commands=True),
            "",
        )
    )


def _described(option: Option) -> tuple[str, str]:
    """Return an option as the help shows it, and what is said of it."""
    more = [", ".join(option.variables)] if option.variables else []
    more += [f"default: {option.default}"] if option.default else []
    end = f" ({'; '.join(more)})" if more else ""
    return option.shown, f"{option.help}{end}"


def _rows(pairs: Iterable[tuple[str, str]], column: int = _COLUMN) -> list[str]:
    """Lay out names and texts in two columns; a long name has a line of its own."""
    lines = []
    for name, text in pairs:
        head = f"  {name}"
        if len(head) > column - 2:
            lines.append(head)
            head = ""
        blank = " " * column
        lines += textwrap.wrap(
            text, _WIDTH, initial_indent=head.ljust(column), subsequent_indent=blank
        )
    return lines


def _table(options: Iterable[Option], *, with_commands: bool) -> list[str]:
    """Return the rows of a table in Markdown."""
    titles = ["option", *(["commands"] if with_commands else []), "meaning", "environment"]
    titles += ["`[tool.rung]`", "default"]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for option in options:
        escaped = option.shown.replace("|", "\\|")
        cells = [f"`{escaped}`"]
        if with_commands:
            cells.append(", ".join(option.commands))
        cells += [option.help, ", ".join(f"`{one}`" for one in option.variables)]
        cells += [f"`{option.key}`" if option.is_key else "", option.default]
        lines.append(f"| {' | '.join(cells)} |")
    return lines
