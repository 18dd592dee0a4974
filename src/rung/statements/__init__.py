"""
SQL text in, statements out: what a script holds, how it can be run, whether it was edited.

Pure: nothing here opens a file or a connection. Made for PostgreSQL 14 to 18.
"""

from __future__ import annotations

from rung.statements.checksum import CHECKSUM_FORMULA, checksum
from rung.statements.model import Control, Mode, Script, Statement, Token, TokenKind, Unit
from rung.statements.position import place_of
from rung.statements.reader import directives, read

__all__ = [
    "CHECKSUM_FORMULA",
    "Control",
    "Mode",
    "Script",
    "Statement",
    "Token",
    "TokenKind",
    "Unit",
    "checksum",
    "directives",
    "place_of",
    "read",
]
