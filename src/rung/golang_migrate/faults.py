"""The exceptions that end an invocation with a line of golang-migrate's and an exit code."""

from __future__ import annotations

FAILED = 1
USAGE = 2


class GoFault(Exception):
    """
    An invocation that cannot be executed.

    Args:
        text: the line, without `error: `.
        more: Rung's lines below it: details, the database state, what to do next.
    """

    def __init__(self, text: str, *more: str) -> None:
        super().__init__(text, *more)
        self.text, self.more = text, more

    @property
    def lines(self) -> tuple[str, ...]:
        """What is shown, line by line."""
        return (f"error: {self.text}", *self.more)


class PlainFault(GoFault):
    """A fault whose line has no `error: ` before it."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is shown, line by line."""
        return (self.text, *self.more)


class UsageExit(Exception):
    """Ends an invocation with an optional line, a usage text and an exit code."""

    def __init__(self, line: str, usage: str, code: int = USAGE) -> None:
        super().__init__(line, usage, code)
        self.line, self.usage, self.code = line, usage, code
