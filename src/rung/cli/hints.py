"""
Complete the commands of a message, so that they work when they are pasted.

A message writes each command in backticks, with what is specific to it: `rung force 3`. The
options that its reader gave are added here, where the tables of commands and options say that
the command reads them; a secret never is.
"""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from rung.cli.commands import COMMANDS
from rung.cli.options import OPTIONS
from rung.redaction import secrets_in, without_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rung.cli.arguments import Words
    from rung.cli.options import Option

_COMMAND = re.compile(r"`(rung(?: [^`\n]*)?)`")
_ASKS_FOR_HELP = frozenset({"help", "--help", "-h", "--version"})
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_USUAL = "RUNG_DATABASE"
_LEFT_OUT = (
    "the password is not repeated: set PGPASSWORD, or put the whole URL into RUNG_DATABASE and "
    "leave --database out"
)
_STANDS_FOR = "RUNG_DATABASE stands for the URL given to this command"


class Repeated(NamedTuple):
    """
    What the commands of a message repeat of a command line.

    Attributes:
        options: pairs of an option's name and its value, quoted for a shell.
        remark: a line for the reader where the database cannot be repeated as it was given.
    """

    options: tuple[tuple[str, str], ...] = ()
    remark: str = ""


def completer(words: Words, environ: Mapping[str, str]) -> Callable[[str], str]:
    """
    Make the function that adds a call's options to the commands that a message names.

    The command line may be invalid elsewhere. An option that the environment or pyproject.toml
    sets needs no repeating in the same shell.
    """

    @cache
    def call() -> Repeated:
        given = [(one.option.name, one.value or "") for one in words.options if one.option]
        return repeated(given, environ)

    return lambda text: completed(text, call()) if "`rung" in text else text


def repeated(given: Iterable[tuple[str, str]], environ: Mapping[str, str]) -> Repeated:
    """
    Choose what the next commands repeat.

    Args:
        given: names and values of options, as they were given.
        environ: the environment; a variable that holds the very URL stands for it.
    """
    values: dict[str, list[str]] = {}
    remark = ""
    for name, value in given:
        option = OPTIONS[name]
        if not option.is_repeated or not value:
            continue
        if name == "--database":
            word, remark = _database(value, environ)
        elif secrets_in(value):
            continue
        else:
            word = shlex.quote(value)
        values[name] = [*values.get(name, ()), word] if option.repeats else [word]
    pairs = [(name, word) for name in OPTIONS for word in values.get(name, ())]
    return Repeated(tuple(pairs), remark)


def completed(text: str, call: Repeated) -> str:
    """Add the options of a call to a text's commands in backticks, and its remark if need be."""
    needs_database = False

    def complete(found: re.Match[str]) -> str:
        nonlocal needs_database
        given = found[1].split()
        if len(given) == 1 or _ASKS_FOR_HELP.intersection(given):
            return found[0]
        added = [
            f"{name} {word}"
            for name, word in call.options
            if name not in given and _reads(given[1], OPTIONS[name])
        ]
        needs_database |= given[1] not in COMMANDS or COMMANDS[given[1]].needs_database
        return f"`{' '.join((found[1], *added))}`"

    text = _COMMAND.sub(complete, text)
    return f"{text}\n{call.remark}" if call.remark and needs_database else text


def _reads(name: str, option: Option) -> bool:
    """Tell whether a command makes use of an option: more have `--source` than read it."""
    command = COMMANDS.get(name)
    if option.name == "--source":
        return command is not None and command.reads_source
    if option.is_common:
        return command is None or command.needs_database
    return option.is_of(name)


def _database(value: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Give the value of --database as a shell reads it, and what the reader has to do before."""
    bare = without_password(value)
    if bare == value:
        return shlex.quote(value), ""
    names = sorted(environ, key=lambda name: (name != _USUAL, name))
    name = next((n for n in names if environ[n] == value and _VARIABLE.match(n)), None)
    if name is not None:
        return f'"${name}"', ""
    return (f'"${_USUAL}"', _STANDS_FOR) if bare is None else (shlex.quote(bare), _LEFT_OUT)
