"""
The checksum of a script, by which an edit is detected.

Owns the formula and its number. Comments, blanks between tokens, line ends, a byte order
mark, the letter case of unquoted words, and the declarations `-- rung: empty` and
`-- rung: irreversible` do not count; all else does. Comparing a checksum (`has_checksum`) and
proving a text by it (`is_proven_by`) are two functions: what cannot be compared is no edit,
and no proof either.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from rung.script.directives import directive_text, is_declaration
from rung.script.model import KINDS, NUMBER_OF, Token, TokenKind, Tokens
from rung.script.rows import ROW_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.script.model import Script

CHECKSUM_FORMULA = 1
"""The newest formula, stored beside each checksum; one that is stored stays valid."""

NOT_COMPARED: Final = "recorded with a checksum formula that this Rung does not recognize"
"""Why a text is neither edited nor unedited."""

_FOLDED = frozenset(NUMBER_OF[k] for k in (TokenKind.WORD, TokenKind.NUMBER, TokenKind.OPERATOR))
"""Kinds whose text counts in lower case, or has no letters."""
_CASELESS = frozenset({TokenKind.WORD, TokenKind.NUMBER})
_CR_LF = "\r\n"


def checksum(script: Script) -> str:
    """Give the checksum of what a script says, by the newest formula: 64 hexadecimal digits."""
    return _FORMULAS[CHECKSUM_FORMULA](script)


def has_checksum(script: Script, kept: str, formula: int | None) -> bool:
    """
    Tell whether a script has a checksum that was kept, by the formula that made it.

    A formula that is not known here, a newer Rung's, cannot be compared: then it has.
    """
    made = _FORMULAS.get(formula or CHECKSUM_FORMULA)
    return made is None or made(script) == kept


def is_proven_by(script: Script, kept: str | None, formula: int | None) -> bool:
    """
    Tell whether a checksum that was kept proves that a script says the same.

    A formula that is not known here proves nothing, nor does a checksum that was not kept.
    """
    made = _FORMULAS.get(formula or CHECKSUM_FORMULA)
    return made is not None and kept is not None and made(script) == kept


def knows_formula(formula: int | None) -> bool:
    """Tell whether a checksum of a formula can be compared here."""
    return (formula or CHECKSUM_FORMULA) in _FORMULAS


def _formula_1(script: Script) -> str:
    """
    SHA-256 of each token's text in order, preceded by its length in characters and a space.

    All in UTF-8. Within a token CR LF is LF. Words and numbers, and the letters before a
    quote, are in lower case (ASCII alone, as PostgreSQL folds names). Directives count
    without the blanks around them; declarations do not count, so that an applied file may get
    one.
    """
    from hashlib import sha256

    digest = sha256()
    for part in script.parts_and_rows():
        if isinstance(part, Tokens):
            counted = _with_lengths(script.text, part)
        else:
            texts = map(_FOLDED_WORDS.get, part, part)
            lengths = map(_LENGTHS.__getitem__, map(len, part))
            counted = "".join(chain.from_iterable(zip(lengths, texts, strict=True)))
        digest.update(counted.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


class _Lengths(dict[int, str]):
    """The text of a length before a token's text; each is made once."""

    def __missing__(self, length: int) -> str:
        self[length] = written = f"{length} "
        return written


_LENGTHS: Final = _Lengths()
_FOLDED_WORDS: Final = {word: word.lower() for word in ROW_WORDS}
"""All keywords among rows; the other tokens there count as they are written."""


def _with_lengths(text: str, tokens: Tokens) -> str:
    """Give what counts of several tokens, each with its length before it."""
    first, last = tokens.starts[0], tokens.ends[-1]
    here = text[first:last]
    folded = _folded(here) if here.isascii() else ""
    parts = []
    for kind, start, end in zip(tokens.kinds, tokens.starts, tokens.ends, strict=True):
        if folded and kind in _FOLDED:
            parts.append(f"{end - start} {folded[start - first : end - first]}")
            continue
        token = Token(KINDS[kind], start, end)
        if token.kind is not TokenKind.DIRECTIVE or not is_declaration(text, token):
            part = said(text, token)
            parts.append(f"{len(part)} {part}")
    return "".join(parts)


def said(text: str, token: Token) -> str:
    """Return the part of a token that counts."""
    kind, start, end = token
    part = text[start:end]
    if kind in _CASELESS:
        return _folded(part)
    if kind is TokenKind.DIRECTIVE:
        return f"-- rung: {directive_text(text, token)}"
    if _CR_LF in part:
        part = part.replace(_CR_LF, "\n")
    if kind is TokenKind.STRING or kind is TokenKind.QUOTED_NAME:
        return _with_folded_prefix(part)
    return part


def _folded(part: str) -> str:
    if part.isascii():
        return part.lower()
    return part.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _with_folded_prefix(part: str) -> str:
    """E'…', U&"…" and the like; a dollar quote has no prefix, its tag is read exactly."""
    if part[0].isalpha():
        quote = 2 if part[1] == "&" else 1
        return part[:quote].lower() + part[quote:]
    return part


_FORMULAS: Final[dict[int, Callable[[Script], str]]] = {1: _formula_1}
