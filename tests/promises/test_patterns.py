"""Regular expressions that every supported Python reads alike, and in one go."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from re import _parser as parser
from typing import TYPE_CHECKING

import pytest

import rung
from rung import escaping, redaction
from rung.golang_migrate.gostd import redact_url
from rung.render.terminal import Style
from rung.script import sql_secrets, without_passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NOT_TO_IMPORT = {"rung.__main__", "rung.golang_migrate.__main__"}


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled pattern that a module of the package holds by name."""
    for found in pkgutil.walk_packages(rung.__path__, "rung."):
        if found.name in _NOT_TO_IMPORT:
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                yield f"{found.name}.{name}", value


def _repeats_a_group(parsed: object) -> bool:
    """Whether a possessive quantifier stands on more than one character class, at any depth."""
    if isinstance(parsed, tuple) and len(parsed) == 2 and str(parsed[0]) == "POSSESSIVE_REPEAT":
        (item,) = parsed[1][2] if len(parsed[1][2]) == 1 else (("several", None),)
        if str(item[0]) in {"several", "SUBPATTERN", "BRANCH"}:
            return True
    if isinstance(parsed, (tuple, list, parser.SubPattern)):
        return any(_repeats_a_group(part) for part in parsed)
    return False


def test_no_possessive_quantifier_stands_on_a_group() -> None:
    """Python 3.11.0 to 3.11.4 misreads those."""
    patterns = dict(_patterns())
    misread = [n for n, p in patterns.items() if _repeats_a_group(parser.parse(p.pattern, p.flags))]

    assert len(patterns) > 50
    assert misread == []
    assert _repeats_a_group(parser.parse("(?:ab|c)*+"))
    assert not _repeats_a_group(parser.parse("[^a]*+b"))


_GATES: dict[str, Callable[[str], object]] = {
    "redacted": redaction.redacted,
    "redacted_word": redaction.redacted_word,
    "redacted_words": redaction.redacted_words,
    "redacted_names": redaction.redacted_names,
    "secrets_among": lambda text: redaction.secrets_among([text]),
    "without_password": redaction.without_password,
    "hidden": lambda text: redaction.without_values(text, {"hunter2secret"}),
    "of a source": redact_url.redacted_url,
    "SQL in a message": without_passwords,
    "URLs in SQL": lambda text: [
        *sql_secrets._url_passwords(text),
        *sql_secrets._query_passwords(text),
    ],
    "escaped": escaping.escaped,
    "escaped_json": escaping.escaped_json,
    "safe": Style(enabled=True).safe,
}
_PARTS = [
    *("a", ":", "@", "/", "?", "=", "&", "%", "'", '"', "--", "$$", "/*", "E'", " ", "\t", "\n"),
    *("a:", "a:@ ", "://a:", "://:", "://:@", "%3A", "%3a%40 ", "postgres://:", "1:1,", "a:/"),
    *("pwd\t", "pwd=", "password=", "password='", "?password=a&", "user = ", "1:1@ ", "PASSWORD '"),
    *("\x1b", "\u202e", "\ud800", "\x1b[31m"),
]


@pytest.mark.parametrize("size", [2**14, pytest.param(2**18, marks=pytest.mark.slow)])
@pytest.mark.parametrize("gate", _GATES)
def test_a_text_four_times_as_long_takes_about_four_times_as_long(gate: str, size: int) -> None:
    """What makes careless expressions go over a text again and again; squared, it were sixteen."""
    slow = []
    for part in _PARTS:
        short, long = (part * (many // len(part)) + "@h/d" for many in (size, 4 * size))
        most = 10 * (_cost(_GATES[gate], short) + size * 2e-8)
        if _cost(_GATES[gate], long, once_below=most) > most:
            slow.append(part)

    assert slow == []


def _cost(gate: Callable[[str], object], text: str, once_below: float = 0.0) -> float:
    """The least processor time of three calls, or the first that is not above a bound."""
    least = float("inf")
    for _ in range(3):
        started_ns = time.process_time()
        gate(text)
        least = min(least, time.process_time() - started_ns)
        if least <= once_below:
            break
    return least
