"""What a file says to Rung itself, in line comments that begin `-- rung:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.statements.model import TokenKind

if TYPE_CHECKING:
    from rung.statements.model import Script, Token

NO_TRANSACTION = "no-transaction"
"""Asks for a file to be run unit by unit."""


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
