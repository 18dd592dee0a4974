"""
Go's reading of numbers and booleans (`strconv`), with its texts. Pure.

In base 10 only ASCII digits count. Base 0 is the base that the text itself names: `0x`, `0o`
or a bare `0`, `0b`; there an underscore may stand between digits.
"""

from __future__ import annotations

import re

from rung.golang_migrate.gostd.quoting import quoted

MAX_UINT = 2**64 - 1
MAX_INT = 2**63 - 1

SYNTAX = "invalid syntax"
RANGE = "value out of range"

TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})

_PREFIX = re.compile(r"0(?:[xX](?=.)|[bB](?=.)|[oO](?=.)|)", re.DOTALL)
_RADIX = {"0x": 16, "0b": 2, "0o": 8, "0": 8}
_PLAIN = re.compile("[0-9]*")
_GAPPED = {
    2: re.compile("[01_]*"),
    8: re.compile("[0-7_]*"),
    10: re.compile("[0-9_]*"),
    16: re.compile("[0-9a-fA-F_]*"),
}
_LONGEST = 64
"""More significant digits than this are beyond 64 bits in every base."""


class NumberRefused(ValueError):
    """
    A text that is not what was asked for.

    Args:
        reason: `SYNTAX` or `RANGE`.
        text: the whole sentence, Go's; empty where the caller makes its own.
    """

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(text or reason)
        self.reason = reason


def unsigned(text: str, base: int = 10) -> int:
    """
    A number from 0 to 2^64-1.

    Args:
        text: without a sign.
        base: 10, or 0 for the base that the text names.

    Raises:
        NumberRefused: it is none. A text that is too large before its first wrong character
            is too large, not wrong.
    """
    if not text:
        raise NumberRefused(SYNTAX)
    return _based(text) if base == 0 else _value(text, 10, _PLAIN)


def signed(text: str, base: int = 10) -> int:
    """A number from -2^63 to 2^63-1, with or without a sign; else as `unsigned`."""
    negative = text.startswith("-")
    size = unsigned(text[1:] if text.startswith(("+", "-")) else text, base)
    if size > MAX_INT + negative:
        raise NumberRefused(RANGE)
    return -size if negative else size


def parse_uint(text: str) -> int | None:
    """What Go's ParseUint(text, 10, 64) takes; None for anything else."""
    try:
        return unsigned(text)
    except NumberRefused:
        return None


def parse_int(text: str) -> int | None:
    """What Go's ParseInt(text, 10, 64) takes; None for anything else."""
    try:
        return signed(text)
    except NumberRefused:
        return None


def atoi(text: str) -> int:
    """
    What Go's Atoi takes.

    Raises:
        NumberRefused: with the text of Go's error.
    """
    try:
        return signed(text)
    except NumberRefused as error:
        raise NumberRefused(error.reason, _sentence("Atoi", text, error.reason)) from None


def truth(text: str) -> bool:
    """
    What Go's ParseBool takes.

    Raises:
        NumberRefused: with the text of Go's error.
    """
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise NumberRefused(SYNTAX, _sentence("ParseBool", text, SYNTAX))


def _sentence(function: str, text: str, reason: str) -> str:
    return f"strconv.{function}: parsing {quoted(text)}: {reason}"


def _based(text: str) -> int:
    found = _PREFIX.match(text)
    prefix = found[0].lower() if found else ""
    digits, radix = text[len(prefix) :], _RADIX.get(prefix, 10)
    value = _value(digits, radix, _GAPPED[radix])
    if "__" in digits or digits.endswith("_") or (not prefix and digits.startswith("_")):
        raise NumberRefused(SYNTAX)
    return value


def _value(digits: str, radix: int, allowed: re.Pattern[str]) -> int:
    end = allowed.match(digits).end()  # type: ignore[union-attr]  # it matches nothing at least
    significant = digits[:end].replace("_", "").lstrip("0")
    if len(significant) > _LONGEST or int(significant or "0", radix) > MAX_UINT:
        raise NumberRefused(RANGE)
    if end < len(digits):
        raise NumberRefused(SYNTAX)
    return int(significant or "0", radix)
