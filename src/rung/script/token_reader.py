"""
Reads one statement word by word, for what only its first words and names have to tell.

Knows key words, names, lists and brackets, and no grammar: who asks knows what may come next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.script.identifiers import folded, parts_of, unquoted
from rung.script.literals import tokens_of
from rung.script.model import TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.script.model import Script, Statement


class StatementReader:
    """The tokens of one statement of a script, read from the left."""

    def __init__(self, script: Script, statement: Statement) -> None:
        tokens = script.tokens_of(statement)
        plain = (token for token in tokens if token.kind is not TokenKind.DIRECTIVE)
        self._words = [script.text[token.start : token.end] for token in plain]
        self._at = 0

    def take(self, *words: str) -> bool:
        """Step over these key words where they come next, unquoted."""
        found = self._stands_at(self._at, words)
        if found:
            self._at += len(words)
        return found

    def name(self) -> str:
        """Step over a name, qualified or not; empty where none comes next."""
        start = self._at
        self._at = min(start + 1, len(self._words))
        while self._stands_at(self._at, (".",)):
            self._at = min(self._at + 2, len(self._words))
        return "".join(self._words[start : self._at])

    def names(self) -> Iterator[str]:
        """Step over a list of names, each perhaps after ONLY."""
        more = self._at < len(self._words)
        while more:
            self.take("ONLY")
            yield self.name()
            self.take("*")
            more = self.take(",")

    def step_over_brackets(self) -> None:
        """Step over options in parentheses, where they come next."""
        if self._stands_at(self._at, ("(",)) and ")" in self._words[self._at :]:
            self._at = self._words.index(")", self._at) + 1

    def step_over_comma(self) -> bool:
        """Step after the next comma outside brackets; False where there is none."""
        depth = 0
        for at in range(self._at, len(self._words)):
            part = self._words[at]
            depth += (part == "(") - (part == ")")
            if part == "," and depth == 0:
                self._at = at + 1
                return True
        self._at = len(self._words)
        return False

    def step_behind(self, *words: str) -> bool:
        """Step after the next of some words, unquoted; False where none is left."""
        for at in range(self._at, len(self._words)):
            if self._words[at].upper() in words:
                self._at = at + 1
                return True
        self._at = len(self._words)
        return False

    def holds(self, *words: str) -> bool:
        """Whether the rest contains these keywords, unquoted, one after the other."""
        return any(self._stands_at(at, words) for at in range(self._at, len(self._words)))

    def rest(self) -> str:
        """All that is left, as it is written."""
        return " ".join(self._words[self._at :])

    def _stands_at(self, at: int, words: tuple[str, ...]) -> bool:
        here = self._words[at : at + len(words)]
        return tuple(spelled.upper() for spelled in here) == words


def made_table(script: Script, statement: Statement) -> str:
    """
    The name, without its schema, of the lasting table or view that a statement makes.

    A name that another table is given counts too. Empty where the statement makes none.
    """
    reader = StatementReader(script, statement)
    if reader.take("ALTER", "TABLE"):
        before = reader.rest().upper().split(" RENAME TO ")
        return _bare(reader.rest()[len(before[0]) + len(" RENAME TO ") :]) if before[1:] else ""
    if not reader.take("CREATE"):
        return ""
    reader.take("OR", "REPLACE")
    reader.take("UNLOGGED")
    if not any(reader.take(*kind) for kind in _RELATIONS):
        return ""
    reader.take("IF", "NOT", "EXISTS")
    return _bare(reader.name())


def words_of(text: str) -> frozenset[str]:
    """The names and key words of SQL that need not be whole, folded; no strings, no comments."""
    spelled = (
        text[token.start : token.end]
        for token in tokens_of(text)
        if token.kind in {TokenKind.WORD, TokenKind.QUOTED_NAME}
    )
    return frozenset(unquoted(word).casefold() for word in spelled)


def makes_shared(script: Script, statement: Statement) -> bool:
    """Whether a statement makes what belongs to the whole server: a role, database, tablespace."""
    reader = StatementReader(script, statement)
    kinds = ("ROLE", "USER", "GROUP", "DATABASE", "TABLESPACE")
    return reader.take("CREATE") and any(reader.take(kind) for kind in kinds)


_RELATIONS = (("TABLE",), ("VIEW",), ("MATERIALIZED", "VIEW"), ("FOREIGN", "TABLE"))


def _bare(name: str) -> str:
    """The last part of a name, as the server keeps it."""
    parts = parts_of(name.strip())
    return folded(parts[-1].strip()) if parts else ""
