"""
Find the statements that may leave the session changed.

Errs on the side of yes: a wrong yes costs a comparison of settings, a wrong no would let
one file's search_path into the next. What a function does inside is not seen here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.script.large import holds
from rung.script.model import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALWAYS = frozenset({"RESET", "DISCARD", "LISTEN", "UNLISTEN", "LOAD", "DO", "CALL"})
_NOT_BEHIND_SET = frozenset({"LOCAL", "TRANSACTION", "CONSTRAINTS"})
_SCOPES = frozenset({"GLOBAL", "LOCAL"})
_TEMPORARY = frozenset({"TEMP", "TEMPORARY"})
_MARKS = ("set_config", "pg_advisory_", "pg_temp", "temp", "hold")
_NAMES = ("SET_CONFIG", "PG_ADVISORY_", "PG_TEMP")


class SessionWatch:
    """
    Looks at the statements of one text.

    Args:
        text: the whole script; one look at it spares most scripts the look at each token.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.suspects = holds(text, *_MARKS)
        """Whether the tokens of each statement have to be looked at."""

    def touched_by(self, words: tuple[str, ...], tokens: Sequence[Token]) -> bool:
        """
        Tell whether a statement may leave the session changed.

        Args:
            words: its leading words in upper case.
            tokens: all of its tokens.
        """
        first, second = (*words, "", "")[:2]
        if first in _ALWAYS:
            return True
        if first == "SET":
            return second not in _NOT_BEHIND_SET
        if first == "PREPARE":
            return second != "TRANSACTION"
        return self.suspects and (_makes_temporary(words) or self._names_it(first, tokens))

    def _names_it(self, first: str, tokens: Sequence[Token]) -> bool:
        """Whether the statement contains such a name, INTO TEMP or WITH HOLD."""
        before = ""
        for kind, start, end in tokens:
            word = self._text[start:end].strip('"').upper()
            if kind is TokenKind.QUOTED_NAME or kind is TokenKind.WORD:
                if word.startswith(_NAMES):
                    return True
                if before == "INTO" and word in _TEMPORARY:
                    return True
                if first == "DECLARE" and (before, word) == ("WITH", "HOLD"):
                    return True
            if word not in _SCOPES:
                before = word
        return False


def _makes_temporary(words: tuple[str, ...]) -> bool:
    if words[:1] != ("CREATE",):
        return False
    rest = words[3:] if words[1:3] == ("OR", "REPLACE") else words[1:]
    rest = rest[1:] if rest[:1] and rest[0] in _SCOPES else rest
    return bool(rest) and rest[0] in _TEMPORARY
