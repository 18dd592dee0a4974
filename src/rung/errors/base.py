"""The root of the tree, and the error whose texts are written where it is raised."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.errors.location import SourceLocation

_LISTED = 5
UNCHANGED = "unchanged; nothing was run"
"""The database's state where an error was found before anything ran."""


@dataclass(eq=False, repr=False)
class RungError(Exception):
    """
    An error that Rung raises on purpose.

    `str(error)` is its first line. A traceback shows the rest as notes, in the form of the
    command's output.
    """

    def __post_init__(self) -> None:
        """Keep lists as tuples, so that nobody changes the facts later."""
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, list):
                setattr(self, one.name, tuple(value))

    @property
    def cause(self) -> str:
        """What went wrong: the first line, without a label."""
        return Exception.__str__(self)

    @property
    def where(self) -> SourceLocation | None:
        """The place in a migration file; None where no file is at fault."""
        return None

    @property
    def detail(self) -> str:
        """The facts at hand, as sentences; empty where the cause says all."""
        return ""

    @property
    def database(self) -> str:
        """The state of the database now; empty where no database was touched."""
        return ""

    @property
    def hint(self) -> str:
        """What to do next, with a command where there is one."""
        return ""

    @property
    def blocks(self) -> tuple[tuple[str, str], ...]:
        """Label and text of every block below the first line and the location."""
        found = (("detail", self.detail), ("database", self.database), ("hint", self.hint))
        return tuple((label, text) for label, text in found if text)

    def lines(self) -> tuple[str, ...]:
        """Give all that follows the first line: location, caret, labelled blocks."""
        where = self.where.lines() if self.where else ()
        return (*where, *(line for block in self.blocks for line in labelled(*block)))

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]  # computed, not stored
        return [*self.lines(), *self.__dict__.get("_notes", ())]

    def add_note(self, note: str, /) -> None:
        """Keep a note of a caller, to be shown below those of the error itself."""
        self.__dict__.setdefault("_notes", []).append(note)

    def __str__(self) -> str:
        return self.cause

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.cause!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(
    kind: type[RungError], args: tuple[object, ...], facts: dict[str, object]
) -> RungError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


@dataclass(eq=False, repr=False)
class _Worded(RungError):
    """
    An error whose texts are written where it is raised.

    Args:
        message: what happened, redacted.
        remedy: what to do.
    """

    message: str = ""
    remedy: str = ""

    @property
    def cause(self) -> str:
        return self.message

    @property
    def hint(self) -> str:
        return self.remedy


class UsageError(_Worded, ValueError):
    """An argument is malformed or out of range."""


def labelled(label: str, text: str) -> tuple[str, ...]:
    """Give the lines of a block: the first behind its label, the others indented."""
    first, *more = text.splitlines() or [""]
    return (f"{label}: {first}", *(f"  {line}" for line in more))


def listed(names: Sequence[str], most: int = _LISTED) -> str:
    """Join names with commas, cut with a count of the rest."""
    if not names:
        return ""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
