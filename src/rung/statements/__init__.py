"""
SQL text in, statements out: what a script holds, how it can be run, whether it was edited.

Pure: nothing here opens a file or a connection. Each dialect of SQL has a folder.
"""

from __future__ import annotations

from rung.dialect import Dialect
from rung.statements.checksum import CHECKSUM_FORMULA, checksum, has_checksum
from rung.statements.directives import directives
from rung.statements.leaving import golang_migrate_refuses
from rung.statements.model import Control, Mode, Script, Statement, Token, TokenKind, Unit
from rung.statements.modes import own_block
from rung.statements.position import place_of
from rung.statements.reader import read, statement_by_statement
from rung.statements.secrets import Secrets, secrets_of, shown, without_passwords
from rung.statements.sharing import needs_session

__all__ = [
    "CHECKSUM_FORMULA",
    "Control",
    "Dialect",
    "Mode",
    "Script",
    "Secrets",
    "Statement",
    "Token",
    "TokenKind",
    "Unit",
    "checksum",
    "directives",
    "golang_migrate_refuses",
    "has_checksum",
    "needs_session",
    "own_block",
    "place_of",
    "read",
    "secrets_of",
    "shown",
    "statement_by_statement",
    "without_passwords",
]
