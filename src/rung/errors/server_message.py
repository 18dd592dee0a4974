"""What the database said of a failure, in its own words."""

from __future__ import annotations

from typing import NamedTuple


class ServerMessage(NamedTuple):
    """The fields of a server's error, as it sent them."""

    message: str
    sqlstate: str = ""
    detail: str = ""
    hint: str = ""
    context: str = ""

    def __str__(self) -> str:
        return f"{self.message} (SQLSTATE {self.sqlstate})" if self.sqlstate else self.message

    def lines(self) -> tuple[str, ...]:
        """Give the message, detail, hint and context, as the history keeps them."""
        extra = (("detail", self.detail), ("hint", self.hint), ("context", self.context))
        return (str(self), *(f"{name}: {text}" for name, text in extra if text))

    @property
    def blocks(self) -> tuple[tuple[str, str], ...]:
        """Label and text of detail, context and hint, where the server sent them."""
        found = (("detail", self.detail), ("detail", self.context), ("hint", self.hint))
        return tuple((label, text) for label, text in found if text)
