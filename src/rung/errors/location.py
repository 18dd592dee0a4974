"""A place in a migration file, and the one drawing of its line with a caret."""

from __future__ import annotations

import re
from typing import NamedTuple

from rung.escaping import columns, escaped

_LONGEST = 110
"""Characters of a line of SQL that are shown."""
_WORD = re.compile(r'\w+|"[^"]*"|\'[^\']*\'|.')


class SourceLocation(NamedTuple):
    """
    Where in a migration file something happened.

    `line` and `column` are 1-based and count characters; `line` is 0 where only the file is
    known, `column` is 0 where only the statement is. `excerpt` is the line of the file without
    its line end and its secrets; `caret` is the column in there, 0 where it equals `column`.
    `sql` is what the server rejected, without its secrets: the file, or the statement where the
    file does not run as a whole.
    """

    file: str
    line: int = 0
    column: int = 0
    excerpt: str = ""
    caret: int = 0
    sql: str = ""

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        if not self.file:
            return f"line {':'.join(numbers)}"
        return ":".join((self.file, *numbers))

    def lines(self) -> tuple[str, ...]:
        """
        Give the arrow with the place, the line of SQL, and carets below the word at the column.

        A line that is longer than a screen is cut to the part around the caret.
        """
        arrow = f"  --> {escaped(str(self))}"
        if not self.excerpt:
            return (arrow,)
        at = max((self.caret or self.column) - 1, 0)
        before, after = self.excerpt[:at], self.excerpt[at:]
        if len(before) > _LONGEST * 2 // 3:
            before = "…" + before[-(_LONGEST // 2) :]
        room = _LONGEST - len(before)
        shown = after if len(after) <= room else after[:room] + "…"
        before, shown = escaped(before), escaped(shown)
        gutter = f"  {self.line} | "
        lines = (arrow, gutter + before + shown)
        if not self.column:
            return lines
        word = _WORD.match(shown)
        blank = "".join("\t" if one == "\t" else " " * columns(one) for one in before)
        below = " " * (len(gutter) - 2) + "| "
        return (*lines, below + blank + "^" * max(columns(word[0]) if word else 1, 1))
