"""Tells from its leading words what a statement does to the transaction it stands in."""

from __future__ import annotations

from rung.script.model import Control

_NOISE = frozenset({"WORK", "TRANSACTION"})
_ENDS = {
    "COMMIT": (Control.COMMIT, Control.COMMIT_CHAIN),
    "END": (Control.COMMIT, Control.COMMIT_CHAIN),
    "ROLLBACK": (Control.ROLLBACK, Control.ROLLBACK_CHAIN),
    "ABORT": (Control.ROLLBACK, Control.ROLLBACK_CHAIN),
}


def control_of(words: tuple[str, ...]) -> Control | None:
    """
    Tell what a statement does to its transaction; None for all that keep it as it is.

    Args:
        words: the statement's leading words in upper case.
    """
    first, second = (*words, "", "")[:2]
    if first == "BEGIN" or (first, second) == ("START", "TRANSACTION"):
        return Control.BEGIN
    if (first, second) == ("PREPARE", "TRANSACTION"):
        return Control.PREPARE
    if first not in _ENDS:
        return None
    if second == "PREPARED":
        return Control.RESOLVE_PREPARED
    return _end_of(first, words[2:] if second in _NOISE else words[1:])


def _end_of(first: str, rest: tuple[str, ...]) -> Control | None:
    plain, chained = _ENDS[first]
    if first == "ROLLBACK" and rest[:1] == ("TO",):
        return None
    return chained if rest[:2] == ("AND", "CHAIN") else plain
