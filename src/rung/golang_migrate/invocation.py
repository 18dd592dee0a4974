"""One invocation of the command: its endpoints, its console, and its cancel token."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.golang_migrate.faults import GoFault
from rung.golang_migrate.gostd.integers import parse_uint
from rung.golang_migrate.progress import GoProgressLines
from rung.source import MAX_VERSION

if TYPE_CHECKING:
    from rung.cancellation import CancelToken
    from rung.execution.command import Target
    from rung.golang_migrate.console import GoConsole
    from rung.golang_migrate.endpoints import Endpoints
    from rung.golang_migrate.gostd.flags import Parsed


@dataclass(frozen=True, slots=True)
class GoInvocation:
    """The argument of a command's function."""

    endpoints: Endpoints
    console: GoConsole
    stop: CancelToken
    prefetches: bool
    started_ns: int
    """The start of the invocation in nanoseconds since 1970, for `create`."""

    def target(self) -> Target:
        """
        Return the database of a command that writes, not connected yet.

        Raises:
            GoFault: source or database cannot be opened, for a reason that needs no connection.
        """
        migrations = self.endpoints.migrations
        lines = GoProgressLines(self.console, migrations, prefetches=self.prefetches)
        return self.endpoints.target(lines, self.stop)

    def refuse(self, text: str) -> GoFault:
        """
        Return the fault of wrong arguments, after opening source and database.

        Raises:
            GoFault, RungError: one of them cannot be opened; reported instead.
        """
        self.endpoints.check()
        return GoFault(text)

    def number(self, parsed: Parsed, message: str) -> int:
        """
        Return the first argument as a number.

        Raises:
            GoFault: it is not a number, or above 2^63-1, where golang-migrate's overflows.
        """
        number = parse_uint(parsed.words[0])
        if number is None or number > MAX_VERSION:
            raise self.refuse(message)
        return number

    def confirm(self, question: str, yes_text: str, no_text: str) -> bool:
        """Ask a question on any stream, and read one word; only y is a yes."""
        self.console.line(f"{question} [y/N]")
        answer = "".join(sys.stdin.readline().split()[:1])
        is_yes = answer.lower() == "y"
        self.console.line(yes_text if is_yes else no_text)
        return is_yes
