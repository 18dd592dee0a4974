"""What a file says to Rung itself, in line comments that begin `-- rung:`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.errors import DeclarationUnusable
from rung.statements.model import TokenKind

if TYPE_CHECKING:
    from rung.statements.model import Script, Token

NO_TRANSACTION = "no-transaction"
"""Asks for a file to be run unit by unit."""
EMPTY = "empty"
"""Declares that a file holds no statement on purpose."""
IRREVERSIBLE = "irreversible"
"""Declares that a migration cannot be reverted."""


class Declared(NamedTuple):
    """What a file declares of itself: the reason, or nothing where it declares no such thing."""

    empty: str = ""
    irreversible: str = ""


def directives(script: Script) -> tuple[str, ...]:
    """Give the texts behind `-- rung:` in a script's line comments, in order."""
    return tuple(
        directive_text(script.text, token)
        for token in script.tokens
        if token.kind is TokenKind.DIRECTIVE
    )


def directive_text(text: str, token: Token) -> str:
    """Give what a directive says, without `-- rung:` and blanks around it."""
    return text[token.start : token.end].partition("rung:")[2].strip()


def is_declaration(text: str, token: Token) -> bool:
    """
    Whether a directive is a declaration, and so no part of what the file says.

    It may be added to a file that is applied, and does not count in the checksum.
    """
    return _word(text, token)[0] in (EMPTY, IRREVERSIBLE)


def declared(script: Script) -> Declared:
    """
    Give what a script declares of itself.

    Raises:
        DeclarationUnusable: a declaration has no reason, or a file with statements says that it
            is empty.
    """
    reasons: dict[str, str] = {}
    for token in script.tokens:
        if token.kind is not TokenKind.DIRECTIVE or not is_declaration(script.text, token):
            continue
        word, reason = _word(script.text, token)
        line = script.text.count("\n", 0, token.start) + 1
        if not reason:
            raise DeclarationUnusable(f"the declaration {word} has no reason", line)
        if word == EMPTY and script.statements:
            raise DeclarationUnusable("the file is declared empty and holds statements", line)
        reasons[word] = reason
    return Declared(reasons.get(EMPTY, ""), reasons.get(IRREVERSIBLE, ""))


def _word(text: str, token: Token) -> tuple[str, str]:
    word, *reason = directive_text(text, token).split(None, 1) or ("",)
    return word, "".join(reason)
