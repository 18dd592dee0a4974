"""
Reads the numbers and durations of a command line and of settings. Pure.

A bare number is no duration, but for 0: whether 30 means seconds or minutes nobody knows.
"""

from __future__ import annotations

import re

from rung.errors import UsageError
from rung.redaction import redacted_word

MAX_VERSION = 2**63 - 1
_DIGITS = re.compile(r"-?[0-9]+\Z")
_LONGEST = 40
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def whole(text: str, what: str) -> int:
    """
    A number from 0 to 2^63-1.

    Args:
        text: as it was typed.
        what: what it would be, for the error: "number of steps", "version".

    Raises:
        UsageError: it is no whole number, is negative, or is too large.
    """
    advice = f"Give a whole number from 0 to {MAX_VERSION}."
    if not _DIGITS.match(text):
        raise UsageError(f"{_short(text)!r} is no {what}.", advice)
    if text.startswith("-"):
        raise UsageError(f"{_short(text)} is no {what}: it is negative.", advice)
    significant = text.lstrip("0") or "0"
    if len(significant) > len(str(MAX_VERSION)) or int(significant) > MAX_VERSION:
        raise UsageError(f"{_short(text)} is no {what}: it is too large.", advice)
    return int(significant)


def forced_version(text: str) -> int | None:
    """The version to record; -1 is None, the state before the first migration."""
    return None if text == "-1" else whole(text, "version")


def duration(text: str, where: str) -> float:
    """
    A duration such as `0`, `500ms`, `30s`, `5m` or `1h30m`, in seconds.

    Args:
        text: as it was typed.
        where: the option or the setting it was given to, for the error.

    Raises:
        UsageError: it cannot be read.
    """
    if text == "0":
        return 0.0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(
            f"{_short(text)!r} is no duration for {where}.",
            "Write 0, 500ms, 30s, 5m or 1h30m.",
        )
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _short(text: str) -> str:
    text = redacted_word(text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
