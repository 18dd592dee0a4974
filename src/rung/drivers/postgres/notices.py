"""
The notices of one message, as many as a person reads.

A loop may raise one for each row. The first are kept, warnings before the others, and the
rest is counted. The first warning of each SQLSTATE is always kept, for some are looked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rung.drivers.work import ServerNotice

_MOST = 100
_WARNING = "WARNING"


class Notices:
    """Grows as they arrive."""

    def __init__(self) -> None:
        self._count = 0
        self._kept: list[tuple[int, ServerNotice]] = []
        self._of: dict[bool, int] = {True: 0, False: 0}
        self._states: set[str] = set()

    def add(self, severity: str, sqlstate: str, message: str) -> None:
        """Take one, if it is among the first of its kind."""
        from rung.drivers.work import ServerNotice

        self._count += 1
        warns = severity == _WARNING
        new = warns and sqlstate not in self._states
        if self._of[warns] >= _MOST and not new:
            return
        if warns:
            self._states.add(sqlstate)
        self._of[warns] += 1
        self._kept.append((self._count, ServerNotice(severity, sqlstate, message)))

    def shown(self) -> list[ServerNotice]:
        """All in their order; of more than a hundred the first, warnings before the others."""
        from rung.drivers.work import ServerNotice

        if self._count <= _MOST:
            return [one for _, one in self._kept]
        first = sorted(self._kept, key=lambda kept: (kept[1].severity != _WARNING, kept[0]))
        kept = [one for _, one in first[: max(_MOST, self._of[True])]]
        left = f"and {self._count - len(kept)} more notices, which are not kept"
        return [*kept, ServerNotice("NOTICE", "", left)]
