"""
SQL text in, statements out: what a script holds, how it can be run, whether it was edited.

Pure: nothing here opens a file or a connection. Each dialect of SQL has a folder.
"""

from __future__ import annotations

from rung.script.checksum import (
    CHECKSUM_FORMULA,
    NOT_COMPARED,
    checksum,
    has_checksum,
    is_proven_by,
    knows_formula,
)
from rung.script.compatible_with import minimum_compatible_version, suits
from rung.script.contents import Contents, contents, contents_of
from rung.script.dialect import Dialect
from rung.script.directives import ALLOW_OUT_OF_ORDER, Declared, declared, directives
from rung.script.enum_values import adds_value, cut_after_value, uses_new_value
from rung.script.foreign_markers import foreign_marker, may_have_marker
from rung.script.function_calls import Calls, calls_in, calls_of, dropped_before
from rung.script.golang_migrate_rules import golang_migrate_refuses
from rung.script.invisible_characters import strange_character
from rung.script.large import holds
from rung.script.model import (
    Control,
    Mode,
    Scan,
    Script,
    Statement,
    Statements,
    Token,
    TokenKind,
    Tokens,
    Unit,
)
from rung.script.parse import read, statement_by_statement
from rung.script.pooler_rules import needs_session
from rung.script.positions import place_of
from rung.script.rerun_rules import (
    RerunRule,
    RerunSafety,
    keeps_contents,
    may_run_twice,
    rerun_rule_of,
)
from rung.script.resume_points import (
    cut_around,
    in_block,
    in_session,
    leaves_nothing_before,
    lost_before,
    may_resume_after,
    same_until,
    session_before,
    uncertain_after,
    units_after,
)
from rung.script.sql_secrets import (
    SqlSecrets,
    redacted_definition,
    redacted_sql,
    secrets_of,
    without_passwords,
)
from rung.script.sqlite.transaction_modes import own_block
from rung.script.token_reader import StatementReader, made_table, makes_shared, words_of

__all__ = [
    "ALLOW_OUT_OF_ORDER",
    "CHECKSUM_FORMULA",
    "NOT_COMPARED",
    "Calls",
    "Contents",
    "Control",
    "Declared",
    "Dialect",
    "Mode",
    "RerunRule",
    "RerunSafety",
    "Scan",
    "Script",
    "SqlSecrets",
    "Statement",
    "StatementReader",
    "Statements",
    "Token",
    "TokenKind",
    "Tokens",
    "Unit",
    "adds_value",
    "calls_in",
    "calls_of",
    "checksum",
    "contents",
    "contents_of",
    "cut_after_value",
    "cut_around",
    "declared",
    "directives",
    "dropped_before",
    "foreign_marker",
    "golang_migrate_refuses",
    "has_checksum",
    "holds",
    "in_block",
    "in_session",
    "is_proven_by",
    "keeps_contents",
    "knows_formula",
    "leaves_nothing_before",
    "lost_before",
    "made_table",
    "makes_shared",
    "may_have_marker",
    "may_resume_after",
    "may_run_twice",
    "minimum_compatible_version",
    "needs_session",
    "own_block",
    "place_of",
    "read",
    "redacted_definition",
    "redacted_sql",
    "rerun_rule_of",
    "same_until",
    "secrets_of",
    "session_before",
    "statement_by_statement",
    "strange_character",
    "suits",
    "uncertain_after",
    "units_after",
    "uses_new_value",
    "without_passwords",
    "words_of",
]
