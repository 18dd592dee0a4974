"""
Read the numbers, durations and names of a command line and of settings. Pure.

A duration needs a unit, except for 0: a bare 30 could be seconds or minutes. What is quoted in an
error is redacted and cut.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.errors import UsageError
from rung.redaction import redacted_word

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_VERSION = 2**63 - 1
_DIGITS = re.compile(r"-?[0-9]+\Z")
_LONGEST = 40
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def quoted(text: str) -> str:
    """Quote a word of a command line for a message: redacted, and cut after 40 characters."""
    text = redacted_word(text)
    return f'"{text if len(text) <= _LONGEST else text[:_LONGEST] + "…"}"'


def whole(text: str, what: str) -> int:
    """
    Read a whole number from 0 to 2^63-1.

    Args:
        text: as it was typed.
        what: what the number is, for the error: "number of steps", "version".

    Raises:
        UsageError: it is not a whole number, is negative, or is too large.
    """
    reason = ""
    if _DIGITS.match(text):
        significant = text.lstrip("0") or "0"
        if text.startswith("-"):
            reason = " is negative"
        elif len(significant) > len(str(MAX_VERSION)) or int(significant) > MAX_VERSION:
            reason = " is too large"
        else:
            return int(significant)
    hint = f"give a whole number from 0 to {MAX_VERSION}"
    raise UsageError(f"invalid {what}: {quoted(text)}{reason}", hint)


def forced_version(text: str) -> int | None:
    """Read the version to record; -1 is None, the state before the first migration."""
    return None if text == "-1" else whole(text, "version")


def duration(text: str, where: str) -> float:
    """
    Read a duration such as `0`, `500ms`, `30s`, `5m` or `1h30m`, in seconds.

    Args:
        text: as it was typed.
        where: the option or the setting that has it, for the error.

    Raises:
        UsageError: it is not a duration.
    """
    if text == "0":
        return 0.0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        hint = "a duration is 0, 500ms, 30s, 5m or 1h30m"
        raise UsageError(f"invalid duration for {where}: {quoted(text)}", hint)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def any_text(text: str, where: str) -> str | None:
    """Read a text; an empty one counts as not set."""
    del where
    return text or None


def table_name(text: str, where: str) -> str:
    """Read the name of a table; an empty one is left for the driver to reject."""
    del where
    return text


def names(text: str, where: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    del where
    return names_in(text)


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a text with commas between them."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def number_of(what: str) -> Callable[[str, str], int]:
    """Make a reader of a whole number; `what` names it in the error."""
    return lambda text, _: whole(text, what)


def one_version(text: str, where: str) -> int:
    """
    Read one version of an option that may be repeated.

    Raises:
        UsageError: it is not a version, or is a list of them.
    """
    if "," in text:
        parts = (part.strip() for part in redacted_word(text).split(","))
        again = " ".join(f"{where} {part}" for part in parts if part)
        raise UsageError(f"{where} takes one version", f"repeat the option: {again}")
    return whole(text, "version")


def choice(*choices: str) -> Callable[[str, str], str]:
    """Make a reader of one of several words."""

    def read(text: str, where: str) -> str:
        if text in choices:
            return text
        hint = f"choose {', '.join(choices[:-1])} or {choices[-1]}"
        raise UsageError(f"invalid value for {where}: {quoted(text)}", hint)

    return read
