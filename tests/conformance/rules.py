"""
Where ours differs from golang-migrate in a generated scenario, computed from its outcome.

Each rule is a listed difference. It knows the files, the state before, the command and what
golang-migrate made of it, and says what ours must make of it; none that applies: both are equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conformance.cross import versions_of
from tests.conformance.scenario import Better, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.scenario import Files

_LARGEST = 2**63 - 1
_TWICE = re.compile(r"(error: no migration found for version .*?file does not exist)\1")
_FINISHED = re.compile(r"^(\d+)/([ud]) ", re.MULTILINE)
_NUMBER = re.compile(r"\d+\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """
    A command as the rules see it.

    Attributes:
        files: the folder.
        ledger: the ledger before.
        words: the command and what follows it.
        theirs: golang-migrate's outcome.
    """

    files: Files
    ledger: str
    words: tuple[str, ...]
    theirs: Outcome

    @property
    def command(self) -> str:
        return self.words[0]

    @property
    def argument(self) -> str:
        return self.words[-1] if len(self.words) > 1 else ""


def better(asked: Asked) -> Better | None:
    """Say how our outcome is meant to differ; None: not at all."""
    for rule in _RULES:
        found = rule(asked)
        if found is not None:
            return found
    return None


def commanded(words: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the options that name folder and database."""
    return words[4:]


def _beyond_int64(asked: Asked) -> Better | None:
    if asked.command == "force" or not _NUMBER.match(asked.argument):
        return None
    if int(asked.argument) <= _LARGEST:
        return None
    what = "version argument V" if asked.command == "goto" else "limit argument N"
    said = f"error: can't read {what}\n"
    return Better("numbers-beyond-int64", exit=1, stderr=said, state="before")


def _minus_one(asked: Asked) -> Better | None:
    if asked.words != ("force", "-1"):
        return None
    return Better("force-minus-one", exit=0, stderr="", ledger="nil")


def _force_warns(asked: Asked) -> Better | None:
    is_number = _NUMBER.match(asked.argument)
    if asked.command != "force" or asked.words[-2:] == ("--", "-1") or not is_number:
        return None
    if int(asked.argument) in versions_of(asked.files):
        return None
    return Better("force-warns", has=(asked.argument,))


def _tells_dirty(asked: Asked) -> Better | None:
    if asked.command != "version" or asked.ledger != "(-1,t)":
        return None
    return Better("version-tells-dirty", exit=0, stderr="-1 (dirty)\n")


def _clean(asked: Asked) -> Better | None:
    was_clean = "t)" not in asked.ledger
    if not was_clean or "t)" not in asked.theirs.state.ledger:
        return None
    return Better("clean-after-failure", more=True, ledger=reached(asked))


def _says_more(asked: Asked) -> Better | None:
    """Three differences that meet: once, with more below it, and no table is made for it."""
    theirs = asked.theirs.said.stderr
    once = _TWICE.sub(r"\1", theirs)
    goes_on = (once != theirs and bool(asked.files)) or "error: Dirty database" in theirs
    writes_nothing = asked.ledger == "none" and asked.theirs.state.ledger == "nil"
    if writes_nothing and (asked.command != "force" or asked.theirs.said.exit):
        return Better("reading-writes-nothing", more=goes_on, stderr=once, state="before")
    if once != theirs:
        return Better("said-once", more=goes_on, stderr=once)
    return Better("errors-say-more", more=True) if goes_on else None


_RULES: tuple[Callable[[Asked], Better | None], ...] = (
    _beyond_int64,
    _minus_one,
    _force_warns,
    _tells_dirty,
    _clean,
    _says_more,
)


def reached(asked: Asked) -> str:
    """Give the ledger as it is after the steps that golang-migrate says it finished."""
    versions = versions_of(asked.files)
    ledger = asked.ledger
    for version, direction in _FINISHED.findall(asked.theirs.said.stderr):
        below = [each for each in versions if each < int(version)]
        at = [int(version)] if direction == "u" else below[-1:]
        ledger = f"({at[0]},f)" if at else "nil"
    return ledger
