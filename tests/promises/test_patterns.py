"""Regular expressions that every supported Python reads alike."""

from __future__ import annotations

import importlib
import pkgutil
import re
from re import _parser as parser
from typing import TYPE_CHECKING

import rung

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_TO_IMPORT = {"rung.__main__", "rung.migrate.__main__"}


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
