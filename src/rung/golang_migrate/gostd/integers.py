"""
Parse numbers and booleans as Go's `strconv` does, with its messages. Pure.

In base 10 only ASCII digits are valid. Base 0 is the base of the text's prefix: `0x`, `0o` or a
bare `0`, `0b`; there an underscore may separate digits.
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
"""More significant digits than this exceed 64 bits in every base."""


class NumberRefused(ValueError):
    """
    A text that is not a valid number or boolean.

    Args:
        reason: `SYNTAX` or `RANGE`.
        text: Go's whole message; empty where the caller composes it.
    """

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(text or reason)
        self.reason = reason


def unsigned(text: str, base: int = 10) -> int:
    """
    Parse a number from 0 to 2^64-1.

    Args:
        text: without a sign.
        base: 10, or 0 for the base of the text's prefix.

    Raises:
        NumberRefused: it is invalid. A text that is too large before its first invalid character
            is out of range, not a syntax error.
    """
    if not text:
        raise NumberRefused(SYNTAX)
    return _parse_prefixed(text) if base == 0 else _parse_digits(text, 10, _PLAIN)


def signed(text: str, base: int = 10) -> int:
    """Parse a number from -2^63 to 2^63-1, with or without a sign; else as `unsigned`."""
    negative = text.startswith("-")
    size = unsigned(text[1:] if text.startswith(("+", "-")) else text, base)
    if size > MAX_INT + negative:
        raise NumberRefused(RANGE)
    return -size if negative else size


def parse_uint(text: str) -> int | None:
    """Parse as Go's ParseUint(text, 10, 64); None for an invalid text."""
    try:
        return unsigned(text)
    except NumberRefused:
        return None


def parse_int(text: str) -> int | None:
    """Parse as Go's ParseInt(text, 10, 64); None for an invalid text."""
    try:
        return signed(text)
    except NumberRefused:
        return None


def atoi(text: str) -> int:
    """
    Parse as Go's Atoi.

    Raises:
        NumberRefused: with the text of Go's error.
    """
    try:
        return signed(text)
    except NumberRefused as error:
        raise NumberRefused(error.reason, _sentence("Atoi", text, error.reason)) from None


def truth(text: str) -> bool:
    """
    Parse as Go's ParseBool.

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


def _parse_prefixed(text: str) -> int:
    match = _PREFIX.match(text)
    prefix = match[0].lower() if match else ""
    digits, radix = text[len(prefix) :], _RADIX.get(prefix, 10)
    value = _parse_digits(digits, radix, _GAPPED[radix])
    if "__" in digits or digits.endswith("_") or (not prefix and digits.startswith("_")):
        raise NumberRefused(SYNTAX)
    return value


def _parse_digits(digits: str, radix: int, allowed: re.Pattern[str]) -> int:
    end = allowed.match(digits).end()  # type: ignore[union-attr]  # it matches nothing at least
    significant = digits[:end].replace("_", "").lstrip("0")
    if len(significant) > _LONGEST or int(significant or "0", radix) > MAX_UINT:
        raise NumberRefused(RANGE)
    if end < len(digits):
        raise NumberRefused(SYNTAX)
    return int(significant or "0", radix)
