"""
Whether a file holds any statement, and what it declares of itself. Pure.

Empty means: no statement. Comments, blanks, semicolons and a byte order mark are none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rung.errors import DeclarationUnusable, ScriptError
from rung.script.dialect import Dialect
from rung.script.directives import Declared, declared
from rung.script.parse import read

if TYPE_CHECKING:
    from rung.script.model import Script

_STATEMENT = re.compile(r"(?:\s++|--[^\r\n]*+\r?+\n|/\*(?:[^/*]++|\*(?!/)|/(?!\*))*\*/)*[A-Za-z]")
"""
A word, after blanks and comments alone: a statement in each dialect. Leaves to the lexer where they
differ: nested comments, and a lone CR, which ends a line comment in PostgreSQL only. No group is
possessive: before 3.11.5 Python does not match those that hold alternatives (gh-106052).
"""


class Contents(NamedTuple):
    """Whether a file has a statement, and what it declares of that."""

    is_empty: bool = False
    """Whether it holds no statement."""
    empty: str = ""
    """The reason for that, where the file declares it."""
    irreversible: str = ""
    """Why the migration cannot be reverted, where the file declares it."""

    @property
    def is_undeclared(self) -> bool:
        """Whether it is empty and does not say that this is meant."""
        return self.is_empty and not self.empty


def contents_of(text: str, dialect: Dialect = Dialect.POSTGRES) -> Contents:
    """
    Return what a text holds; nothing is refused here.

    A text that cannot be read is not empty, and a declaration without a reason is none: a run
    refuses both.
    """
    if "rung:" not in text and _STATEMENT.match(text):
        return Contents()
    try:
        script = read(text, dialect)
    except ScriptError:
        return Contents()
    return contents(script)


def contents(script: Script) -> Contents:
    """Return what a script holds; a declaration that cannot be used is none."""
    try:
        said = declared(script)
    except DeclarationUnusable:
        said = Declared()
    return Contents(not script.statements, said.empty, said.irreversible)
