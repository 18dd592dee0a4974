"""What ends a call with a line of golang-migrate's and an exit code. Values, no more."""

from __future__ import annotations

FAILED = 1
USAGE = 2


class GoFault(Exception):
    """
    A call that cannot be carried out.

    Args:
        text: the line, without `error: `.
        more: lines of ours below it: what was found, what state it is in, what to do next.
    """

    def __init__(self, text: str, *more: str) -> None:
        super().__init__(text, *more)
        self.text, self.more = text, more

    @property
    def lines(self) -> tuple[str, ...]:
        """What is shown, line by line."""
        return (f"error: {self.text}", *self.more)


class PlainFault(GoFault):
    """The few whose line has no `error: ` before it."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is shown, line by line."""
        return (self.text, *self.more)


class NotUnderstood(Exception):
    """Words that are no flags or no command: a line where there is one, a usage, and a code."""

    def __init__(self, line: str, usage: str, code: int = USAGE) -> None:
        super().__init__(line, usage, code)
        self.line, self.usage, self.code = line, usage, code
