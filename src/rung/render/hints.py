"""
Completes the commands in a message, so that they work when they are pasted. Pure.

A message writes each command in backticks, with what is specific to it: `rung force 3`. What
the call was given besides (database, role, tables, source) is added here, in one place, and
never a password.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from rung.redaction import without_password

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COMMAND = re.compile(r"`(rung(?: [^`\n]*)?)`")
_READS_SOURCE = frozenset(
    {
        *("up", "down", "goto", "redo", "status", "plan", "check", "wait", "create", "repair"),
        *("force", "mark-applied", "accept-edit", "certify", "doctor"),
    }
)
_NEEDS_NO_DATABASE = frozenset({"create", "certify"})
_ASKS_FOR_HELP = ("help", "--help", "-h", "--version")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_USUAL = "RUNG_DATABASE"
_LEFT_OUT = (
    "the password is not repeated: set PGPASSWORD, or put the whole URL into RUNG_DATABASE and "
    "leave --database out"
)
_STANDS_FOR = "RUNG_DATABASE stands for the URL given to this command"


class Repeated(NamedTuple):
    """
    What of a call its next commands need too: options with values that a shell reads.

    `remark` is a line for the reader where the database cannot be repeated as it was given.
    """

    database: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    remark: str = ""


def repeated(
    options: Mapping[str, str], environ: Mapping[str, str], source: str | None = None
) -> Repeated:
    """
    What to repeat of a call.

    Args:
        options: those of the command line that say which database, by their long names; what
            the environment or pyproject.toml gave needs no repeating in the same shell.
        environ: a variable that holds the very URL stands for it.
        source: of the command line; None where it was not given.
    """
    words, remark = [], ""
    for name, value in options.items():
        word = shlex.quote(value)
        if name == "--database":
            word, remark = _database(value, environ)
        words.append(f"{name} {word}")
    return Repeated(
        tuple(words), () if source is None else (f"--source {shlex.quote(source)}",), remark
    )


def completed(text: str, call: Repeated) -> str:
    """A text whose commands in backticks have the options of a call, and a remark if need be."""
    commands = [found[1].split() for found in _COMMAND.finditer(text)]
    if not commands:
        return text
    text = _COMMAND.sub(lambda found: f"`{_complete(found[1], call)}`", text)
    remark = call.remark if any(map(_takes_database, commands)) else ""
    return f"{text}\n{remark}" if remark else text


def _complete(command: str, call: Repeated) -> str:
    return " ".join((command, *_added(command.split(), call)))


def _added(given: list[str], call: Repeated) -> Iterator[str]:
    options = call.database if _takes_database(given) else ()
    if not _asks_for_help(given) and given[1] in _READS_SOURCE:
        options = (*options, *call.source)
    return (option for option in options if option.split()[0] not in given)


def _takes_database(given: list[str]) -> bool:
    return not _asks_for_help(given) and given[1] not in _NEEDS_NO_DATABASE


def _asks_for_help(given: list[str]) -> bool:
    return len(given) == 1 or any(word in _ASKS_FOR_HELP for word in given)


def _database(value: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """The value of --database as a shell reads it, and what the reader has to do before."""
    bare = without_password(value)
    if bare == value:
        return shlex.quote(value), ""
    names = sorted(environ, key=lambda name: (name != _USUAL, name))
    name = next((n for n in names if environ[n] == value and _VARIABLE.match(n)), None)
    if name is not None:
        return f'"${name}"', ""
    return (f'"${_USUAL}"', _STANDS_FOR) if bare is None else (shlex.quote(bare), _LEFT_OUT)
