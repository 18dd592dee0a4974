"""
The halves of a made-up migration: what they say, and the ways of writing the same.

A body leaves one line in a table of its own schema, so that what really ran, with which
text and in which order is known, and the schema of the ledger stays empty.
"""

from __future__ import annotations

from typing import NamedTuple

LOG = "CREATE SCHEMA played; CREATE TABLE played.log (id serial, body text NOT NULL)"
DIRECTIVE = "-- rung: allow-out-of-order\n"

_STYLES = {
    "plain": "{}",
    "comments": "/* a licence */\n{} -- and a last word\n",
    "spaced": "\n\n{}\n\n",
    "crlf": "-- a line\r\n{}\r\n",
}
_BOM = "\ufeff"
STYLES = (*_STYLES, "case", "bom")


class Text(NamedTuple):
    """
    One half: what it says, how it is written, and whether it lets itself run late.

    A text that fails inserts its line first, which is rolled back with it.
    """

    body: str
    style: str = "plain"
    allows_late: bool = False
    fails: bool = False

    def differs_from(self, other: Text | None) -> bool:
        """Whether it was edited; the directive counts, the style does not."""
        return other is None or self._replace(style="") != other._replace(style="")

    @property
    def sql(self) -> str:
        """The file."""
        statement = f"INSERT INTO played.log (body) VALUES ('{self.body}');"
        if self.fails:
            statement += " SELECT 1 / 0;"
        if self.style == "case":
            statement = statement.replace("INSERT INTO played", "insert   into\nPLAYED")
        written = _STYLES.get(self.style, "{}").format(statement)
        if self.allows_late:
            written = DIRECTIVE + written
        return _BOM + written if self.style == "bom" else written


class Pair(NamedTuple):
    """The two halves of a version; None for one that is missing."""

    up: Text | None
    down: Text | None
