"""The root of the tree, and the one error that needs no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTED = 5


class RungError(Exception):
    """Anything Rung raises on purpose."""

    @property
    def cause(self) -> str:
        """What went wrong, in a sentence."""
        return Exception.__str__(self)

    @property
    def looked_at(self) -> str:
        """What was looked at to know it; empty where the cause says it already."""
        return ""

    @property
    def state(self) -> str:
        """What state the database is in now; empty where no database was touched."""
        return ""

    @property
    def advice(self) -> str:
        """What to do next, a command where there is one."""
        return ""

    def __str__(self) -> str:
        parts = (self.cause, self.looked_at, self.state, self.advice)
        return "\n".join(part for part in parts if part)


class _Told(RungError):
    """
    An error whose cause and advice are written where it is raised.

    Args:
        cause: what happened, masked.
        advice: what to do.
    """

    def __init__(self, cause: str, advice: str = "") -> None:
        super().__init__(cause, advice)
        self._cause, self._advice = cause, advice

    @property
    def cause(self) -> str:
        return self._cause

    @property
    def advice(self) -> str:
        return self._advice


class UsageError(_Told, ValueError):
    """An argument cannot be understood or is out of range."""


def listed(names: Sequence[str], most: int = _LISTED) -> str:
    """The names in a row, cut with a count of the rest."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
