"""
Where ours differs from golang-migrate in a generated scenario, computed from its outcome.

Each rule is a listed difference. It knows the files, the state before, the command and what
golang-migrate made of it, and says what ours must make of it; none that applies: both are equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.conformance.cross import versions_of
from tests.conformance.scenario import Better, Outcome
from tests.conformance.verdict import without_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conformance.scenario import Files

_LARGEST = 2**63 - 1
_TWICE = re.compile(r"(error: no migration found for version .*?file does not exist)\1")
_FINISHED = re.compile(r"^(\d+)/([ud]) ", re.MULTILINE)
_ANSWERED = "Applying all down migrations\n"
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
    found = next((found for rule in _RULES if (found := rule(asked)) is not None), None)
    warned = "".join(_told_of_empty(asked))
    if not warned or (found is not None and found.state == "before"):
        return found
    theirs = asked.theirs.said.stderr
    said = theirs if found is None else found.stderr or without_noise(theirs)
    asks, answered, rest = said.rpartition(_ANSWERED)
    said = f"{asks}{answered}{warned}{rest}"
    return replace(found or Better("empty-is-told"), stderr=said)


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


def _told_of_empty(asked: Asked) -> Iterator[str]:
    """The warnings that stand above everything: ups without SQL, and what no down takes back."""
    written = {
        name.partition("_")[0] + name.split(".")[-2][0]
        for name, text in asked.files
        if isinstance(text, str) and text != "-- nothing\n"
    }
    up, steps = _planned(asked)
    if up and (empty := [v for v in steps if f"{v}u" not in written]):
        ups = "1 up" if len(empty) == 1 else f"{len(empty)} ups"
        yield (
            f"warning: {ups} without a statement: {', '.join(map(str, empty))}; recorded as "
            "empty, not as applied; if that is meant, declare it in the file: "
            "-- rung: empty REASON\n"
        )
    left = [v for v in steps if f"{v}d" not in written and f"{v}u" in written]
    if not up and left:
        yield (
            f"warning: not reverted, because the down is empty or missing: "
            f"{', '.join(map(str, left))}; what the up created still exists\n"
        )


def _planned(asked: Asked) -> tuple[bool, list[int]]:
    """Whether a command goes up, and the versions that it passes."""
    versions, at = versions_of(asked.files), _at(asked.ledger)
    if "can't read" in asked.theirs.said.stderr or "argument" in asked.theirs.said.stderr:
        return True, []
    if "t)" in asked.ledger or (at >= 0 and at not in versions):
        return True, []
    above = [version for version in versions if version > at]
    below = [version for version in reversed(versions) if version <= at]
    number = int(asked.argument) if _NUMBER.fullmatch(asked.argument) else None
    if asked.command == "up":
        return True, above[:number]
    if asked.command == "down" and "no migration" not in asked.theirs.said.stderr:
        asks = len(asked.words) == 1 and "Not applying" in asked.theirs.said.stderr
        return False, [] if asks else below[:number]
    if asked.command == "goto" and number in versions:
        upward = number > at
        return upward, [v for v in (above if upward else below) if (v <= number) == upward]
    return True, []


def _at(ledger: str) -> int:
    return int(ledger[1:-3]) if ledger.startswith("(") else -1


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
