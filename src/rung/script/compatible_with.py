"""
What a migration says of older builds: `-- rung: compatible-with N`. Pure.

A build is known by its newest file. The directive says that builds of version N and later
work with the schema that the migration leaves, so that an older image may serve on a
database that a newer release has migrated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import DirectiveUnusable, ScriptError
from rung.script.directives import COMPATIBLE_WITH, directive_text
from rung.script.parse import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.script.dialect import Dialect
    from rung.script.model import Script

_DIGITS = len(str(2**63 - 1))
"""Of the largest version that there is; Python refuses to read thousands of them."""


def minimum_compatible_version(script: Script) -> int | None:
    """
    Return the oldest build that works with the schema after a script; None where none is declared.

    Raises:
        DirectiveUnusable: it says so, and not with one version.
    """
    for token in script.directives:
        word, _, said = directive_text(script.text, token).partition(" ")
        if word == COMPATIBLE_WITH:
            version = said.strip()
            if not (version.isascii() and version.isdigit() and len(version) <= _DIGITS):
                line = script.text.count("\n", 0, token.start) + 1
                raise DirectiveUnusable(f"{COMPATIBLE_WITH} takes one version", line)
            return int(version)
    return None


def suits(build: int, texts: Sequence[str | None], dialect: Dialect) -> bool:
    """
    Whether a build works after each of some migrations, as they declare.

    Args:
        build: its newest version.
        texts: the ups of all that are applied above it, None for one that is not known.
        dialect: the SQL that they are in.
    """
    return all(_suits(build, text, dialect) for text in texts)


def _suits(build: int, text: str | None, dialect: Dialect) -> bool:
    if text is None:
        return False
    try:
        oldest = minimum_compatible_version(read(text, dialect))
    except ScriptError:
        return False
    return oldest is not None and oldest <= build
