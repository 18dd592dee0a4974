"""One call of the command: its ends, its talk, and the stop that signals set."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.golang_migrate.faults import GoFault
from rung.golang_migrate.gostd.integers import parse_uint
from rung.source import MAX_VERSION

if TYPE_CHECKING:
    from rung.cancellation import CancelToken
    from rung.golang_migrate.console import GoConsole
    from rung.golang_migrate.gostd.flags import Parsed
    from rung.golang_migrate.open import Opening


@dataclass(frozen=True, slots=True)
class GoInvocation:
    """What a command's function is given."""

    opening: Opening
    talk: GoConsole
    stop: CancelToken
    prefetches: bool
    began: int
    """Nanoseconds since 1970 at which the call began, for `create`."""

    def refuse(self, text: str) -> GoFault:
        """
        The fault of words that cannot be taken; both ends are opened before it is told.

        Raises:
            Fault, RungError: one of them cannot be opened; that is told instead.
        """
        self.opening.check()
        return GoFault(text)

    def number(self, parsed: Parsed, at_fault: str) -> int:
        """
        The first word as a number.

        Raises:
            Fault: it is none, or above 2^63-1, where golang-migrate's would turn negative.
        """
        found = parse_uint(parsed.words[0])
        if found is None or found > MAX_VERSION:
            raise self.refuse(at_fault)
        return found

    def agrees(self, question: str, agreed: str, refused: str) -> bool:
        """Ask, and read one word of an answer; only y is a yes, also where no terminal is."""
        self.talk.line(f"{question} [y/N]")
        word = "".join(sys.stdin.readline().split()[:1])
        yes = word.lower() == "y"
        self.talk.line(agreed if yes else refused)
        return yes
