"""What a file says to Rung itself, in line comments that begin `-- rung:`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rung.errors import DeclarationUnusable
from rung.script.large import holds
from rung.script.model import TokenWalk

if TYPE_CHECKING:
    from rung.script.model import Script, Token

NO_TRANSACTION = "no-transaction"
"""Asks for a file to be run unit by unit."""
EMPTY = "empty"
"""Declares that a file holds no statement on purpose."""
IRREVERSIBLE = "irreversible"
"""Declares that a migration cannot be reverted."""


ALLOW_OUT_OF_ORDER = "allow-out-of-order"
"""Lets a file run where newer versions are applied."""
COMPATIBLE_WITH = "compatible-with"
"""Names the oldest version whose builds work on the schema after it."""
_WORDS = (NO_TRANSACTION, EMPTY, IRREVERSIBLE, ALLOW_OUT_OF_ORDER, COMPATIBLE_WITH)
_MEANT = re.compile(r"^[ \t]*-{2,}[ \t]*rung\b[ \t]*:?[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
"""A line comment that is a directive, or a misspelt one."""
_ALIKE = 0.8


class Declared(NamedTuple):
    """What a file declares of itself: the reason, or nothing where it declares no such thing."""

    empty: str = ""
    irreversible: str = ""


def directives(script: Script) -> tuple[str, ...]:
    """Return the texts after `-- rung:` in a script's line comments, in order."""
    return tuple(directive_text(script.text, token) for token in script.directives)


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
        DeclarationUnusable: a declaration has no reason, a file with statements says that it is
            empty, or a line was meant as a directive and is none.
    """
    _check_spelling(script)
    reasons: dict[str, str] = {}
    for token in script.directives:
        if not is_declaration(script.text, token):
            continue
        word, reason = _word(script.text, token)
        line = script.text.count("\n", 0, token.start) + 1
        if not reason:
            raise DeclarationUnusable(
                f"the declaration {word} has no reason", line, way=f"-- rung: {word} REASON"
            )
        if word == EMPTY and script.statements:
            raise DeclarationUnusable("the file is declared empty but has statements", line)
        reasons[word] = reason
    return Declared(reasons.get(EMPTY, ""), reasons.get(IRREVERSIBLE, ""))


def _check_spelling(script: Script) -> None:
    """
    Refuse a line that was meant as a directive and would be read as a comment.

    A down whose `irreversible` is misspelt would run. A line inside a string or a function body is
    no comment of the file's.
    """
    text = script.text
    lines = list(_MEANT.finditer(text)) if holds(text, "rung") else ()
    if not lines:
        return
    known = {token.start for token in script.directives}
    walk = TokenWalk(script)
    for line in lines:
        start = line.start() + len(line[0]) - len(line[0].lstrip())
        meant = _closest(line[1])
        if start in known:
            if line[1] in _WORDS:
                continue
            problem = f'unrecognized directive "{line[1]}"'
        elif meant and not _is_inside(walk.before(start), start):
            problem = f'"{line[0].strip()}" is read as a comment, not as a directive'
        else:
            continue
        ways = f"-- rung: {meant}" if meant else ", ".join(f"-- rung: {word}" for word in _WORDS)
        raise DeclarationUnusable(problem, text.count("\n", 0, start) + 1, way=ways)


def _closest(word: str) -> str:
    """The directive that a word was meant as; empty where it is like none."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.casefold().rstrip(":,."), _WORDS, 1, _ALIKE)), "")


def _is_inside(before: Token | None, place: int) -> bool:
    return before is not None and before.end > place


def _word(text: str, token: Token) -> tuple[str, str]:
    word, *reason = directive_text(text, token).split(None, 1) or ("",)
    return word, "".join(reason)
