"""Unexpected errors: one line, with `--verbose` a traceback, and no secrets in either."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung import redaction
from rung.cli.options import OPTIONS
from rung.errors import RungError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_APART = re.compile(r"[^\w-]+")
_VARIABLES = [
    name
    for option in OPTIONS.values()
    for name in option.variables
    if option.metavar == "URL" and not name.endswith("_FILE")
]
"""The variables that may hold the URL of a database."""


@dataclass(eq=False, repr=False)
class InternalError(RungError):
    """
    A bug of Rung's own.

    Args:
        kind: the name of the exception's class.
        message: its text, without secrets.
    """

    kind: str
    message: str

    @property
    def cause(self) -> str:
        """The class and the text of the exception, on one line."""
        return " ".join(f"internal: {self.kind}: {self.message}".split())

    @property
    def hint(self) -> str:
        """Where to look; the user did nothing wrong."""
        return "this is a bug of rung: see `rung status`; --verbose shows where it happened"


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error."""
    import traceback

    return "".join(traceback.format_exception(error))


def masked(text: str, environ: Mapping[str, str], words: Sequence[str]) -> str:
    """Redact a text: no password that the command was given is in it, quoted or decoded."""
    return redaction.redacted_text(text, _secrets(environ, words), _names(environ, words))


def _names(environ: Mapping[str, str], words: Sequence[str]) -> set[str]:
    """Return the users, hosts, databases and folders that the command was given."""
    given = (*words, *(environ.get(name, "") for name in _VARIABLES))
    return {name for word in given for name in _APART.split(redaction.redacted_word(word))}


def _secrets(environ: Mapping[str, str], words: Sequence[str]) -> set[str | None]:
    given = [*(environ.get(name, "") for name in _VARIABLES), _in_file(environ)]
    found = {secret for value in given for secret in redaction.secrets_in(value)}
    return {*found, *redaction.secrets_among(words), environ.get("PGPASSWORD")}


def _in_file(environ: Mapping[str, str]) -> str:
    from rung.cli.config import read_database_file

    file = environ.get("RUNG_DATABASE_FILE")
    try:
        return read_database_file(file) if file else ""
    except RungError:
        return ""
