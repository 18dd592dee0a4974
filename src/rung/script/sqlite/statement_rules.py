"""
Decides from a statement's tokens what it does to its transaction and to its session.

What SQLite refuses inside a transaction is what SQLite 3.40 refuses in tests; the database decides
everything else when it runs. About the session, the answer is yes in doubt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.script.model import Control, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONTROLS = {"BEGIN": Control.BEGIN, "COMMIT": Control.COMMIT, "END": Control.COMMIT}
# Without a value they only ask. journal_mode may be set inside one, but OFF could not roll back.
_SET_OUTSIDE = frozenset({"JOURNAL_MODE", "SYNCHRONOUS"})
_SESSION = frozenset({"PRAGMA", "ATTACH", "DETACH"})
_OF_SESSION = frozenset({"FOREIGN_KEYS", "DEFER_FOREIGN_KEYS", "LEGACY_ALTER_TABLE", "SYNCHRONOUS"})
_MADE_AGAIN = _OF_SESSION | frozenset(
    {
        *("CASE_SENSITIVE_LIKE", "RECURSIVE_TRIGGERS", "IGNORE_CHECK_CONSTRAINTS", "CACHE_SIZE"),
        *("TEMP_STORE", "REVERSE_UNORDERED_SELECTS", "TRUSTED_SCHEMA", "WRITABLE_SCHEMA"),
        *("QUERY_ONLY", "READ_UNCOMMITTED", "CELL_SIZE_CHECK", "SECURE_DELETE", "MMAP_SIZE"),
        *("AUTOMATIC_INDEX", "ANALYSIS_LIMIT", "THREADS", "CACHE_SPILL", "BUSY_TIMEOUT"),
        *("FULLFSYNC", "CHECKPOINT_FULLFSYNC", "FULL_COLUMN_NAMES", "SHORT_COLUMN_NAMES"),
        *("JOURNAL_SIZE_LIMIT", "MAX_PAGE_COUNT", "WAL_AUTOCHECKPOINT", "LOCKING_MODE"),
    }
)
"""Settings of a session, which take the same value a second time."""
_IN_FILE = frozenset(
    {
        *("USER_VERSION", "APPLICATION_ID", "SCHEMA_VERSION", "AUTO_VACUUM", "PAGE_SIZE"),
        *("JOURNAL_MODE", "ENCODING", "DEFAULT_CACHE_SIZE", "INCREMENTAL_VACUUM"),
        *("INTEGRITY_CHECK", "QUICK_CHECK", "FOREIGN_KEY_CHECK", "FOREIGN_KEY_LIST"),
        *("TABLE_INFO", "TABLE_XINFO", "TABLE_LIST", "INDEX_INFO", "INDEX_XINFO", "INDEX_LIST"),
        *("OPTIMIZE", "WAL_CHECKPOINT", "SHRINK_MEMORY"),
    }
)
"""Kept in the file, or only asking: a new session finds what they did."""
_TEMPORARY = frozenset({"TEMP", "TEMPORARY"})
_QUOTES = "\"`'[]"
_EXPLAINS = ["EXPLAIN", "QUERY", "PLAN"]
_MAY_BE_PRAGMA = frozenset({"EXPLAIN", "PRAGMA"})
_LONGEST = 10
"""Tokens of EXPLAIN QUERY PLAN PRAGMA schema . name = - value, and one more."""


class Pragma(NamedTuple):
    """A PRAGMA's name in upper case, and what value it is given."""

    name: str
    sets: bool
    value: str = ""
    """In upper case, without its quotes and a plus sign."""
    explained: bool = False
    """Behind EXPLAIN: it gives other rows, and is obeyed all the same."""


def control_of(text: str, tokens: Sequence[Token]) -> Control | None:
    """Tell what a statement does to its transaction; None for all that keep it as it is."""
    words = [_upper(text, token) for token in tokens[:4] if token.kind is TokenKind.WORD]
    first = words[0] if words and tokens[0].kind is TokenKind.WORD else ""
    if first == "ROLLBACK":
        return None if "TO" in words else Control.ROLLBACK
    return _CONTROLS.get(first)


def refusal_of(text: str, tokens: Sequence[Token], *, heard: bool) -> str:
    """
    Name a statement that does not work inside a transaction; else empty.

    PRAGMA foreign_keys is passed over there in silence. A file without transactions of its
    own stays whole all the same: what the PRAGMA means is done around its transaction, see
    `foreign_keys`. Outside of a file's own transaction it is heard.

    Args:
        text: the script's.
        tokens: the statement's.
        heard: whether PRAGMA foreign_keys has an effect at the statement's place.
    """
    first = _upper(text, tokens[0])
    if first in {"VACUUM", "DETACH"}:
        return first
    pragma = pragma_of(text, tokens)
    if pragma is None:
        return ""
    outside = _SET_OUTSIDE | {"FOREIGN_KEYS"} if heard else _SET_OUTSIDE
    refused = pragma.name == "WAL_CHECKPOINT" or (pragma.sets and pragma.name in outside)
    return f"PRAGMA {pragma.name.lower()}" if refused else ""


def is_of_session(text: str, tokens: Sequence[Token]) -> bool:
    """Whether it changes nothing but its session, so that no trace of it stays."""
    pragma = pragma_of(text, tokens)
    return pragma is not None and pragma.name in _OF_SESSION


def is_made_again(text: str, tokens: Sequence[Token]) -> bool:
    """Whether it is a setting of its session that a new session can be given again."""
    pragma = pragma_of(text, tokens)
    return pragma is not None and pragma.sets and pragma.name in _MADE_AGAIN


def outlives_session(text: str, tokens: Sequence[Token]) -> bool:
    """Whether it is a PRAGMA that asks, or whose work a new session finds in the file."""
    pragma = pragma_of(text, tokens)
    return pragma is not None and (not pragma.sets or pragma.name in _IN_FILE)


def touches_session(text: str, tokens: Sequence[Token]) -> bool:
    """Whether it may leave the session changed: PRAGMA, ATTACH, temporary things."""
    first = _upper(text, tokens[0])
    if first in _SESSION or pragma_of(text, tokens) is not None:
        return True
    return first == "CREATE" and any(_bare(text, token) in _TEMPORARY for token in tokens)


def pragma_of(text: str, tokens: Sequence[Token]) -> Pragma | None:
    """The PRAGMA that a statement is; None for all others."""
    if _bare(text, tokens[0]) not in _MAY_BE_PRAGMA:
        return None
    spelled = [_bare(text, token) for token in tokens[:_LONGEST]]
    before = next((n for n in (3, 1) if spelled[:n] == _EXPLAINS[:n]), 0)
    spelled, tokens = spelled[before:], tokens[before:]
    if spelled[:1] != ["PRAGMA"] or tokens[0].kind is not TokenKind.WORD:
        return None
    rest = spelled[3:] if spelled[2:3] == ["."] else spelled[1:]
    if not rest:
        return None
    value = "".join(part for part in rest[2:4] if part not in {"+", ")"})
    return Pragma(rest[0], rest[1:2] in (["="], ["("]), value, bool(before))


def _upper(text: str, token: Token) -> str:
    return text[token.start : token.end].upper()


def _bare(text: str, token: Token) -> str:
    return _upper(text, token).strip(_QUOTES)
