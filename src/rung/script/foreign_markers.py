"""
Finds another tool's sign that what undoes a migration follows in the same file. Pure.

goose, dbmate and others keep both directions in one file. Run whole, such a file makes a
table and drops it again. Only a line comment counts, not a text that looks like one inside of
a string, a function's body or a block comment. Errs on the side of yes about letter case and
blanks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.errors import ForeignMarker
from rung.script.model import TokenWalk
from rung.script.positions import place_of

if TYPE_CHECKING:
    from rung.script.model import Script, Token

_TOOLS = {
    "goose": r"\+goose[ \t]+down\b",
    "dbmate": r"migrate:[ \t]*down\b",
    "sql-migrate": r"\+migrate[ \t]+down\b",
    "micrate": r"\+micrate[ \t]+down\b",
    "rambler": r"rambler[ \t]+down[ \t\r]*$",
    "node-pg-migrate": r"down[ \t]+migration[ \t\r]*$",
    "tern": r"create[ \t]+above[ \t]*/[ \t]*drop[ \t]+below\b",
    "MyBatis Migrations": r"//[ \t]*@undo\b",
    "Play": r"!downs\b",
    "shmig": r"====[ \t]*down[ \t]*====",
}
_MARKER = re.compile(
    rf"--[- \t]*(?:{'|'.join(f'({one})' for one in _TOOLS.values())})", re.IGNORECASE | re.MULTILINE
)
_NAMES = ("", *_TOOLS)
_GAP = re.compile(r"--[^\n\r]*|/\*|[\s\S]")
_EDGE = re.compile(r"/\*|\*/")


def may_have_marker(text: str) -> bool:
    """Whether a text may have a marker; it is not lexed, so a string may look like one."""
    return _MARKER.search(text) is not None


def foreign_marker(script: Script, *, down: bool) -> ForeignMarker | None:
    """
    The marker of another tool's down in a file, if it has one.

    Args:
        script: the file.
        down: whether it is a down file: there a marker before all statements does no harm.
    """
    walk: TokenWalk | None = None
    for found in _MARKER.finditer(script.text):
        at = found.start()
        walk = walk or TokenWalk(script)
        if not _is_line_comment(script.text, walk.before(at), at):
            continue
        if down and not any(one.start < at for one in script.statements[:1]):
            continue
        line, column, said = place_of(script.text, at)
        tool = _NAMES[found.lastindex or 0]
        problem = f"`{said.strip()}` is {tool}'s marker: the down follows it"
        way = (
            "remove it and all above it: this file is only the down"
            if down
            else "move all below it into the .down.sql of the same version, and remove it"
        )
        return ForeignMarker(problem, line, column=column, way=way)
    return None


def _is_line_comment(text: str, before: Token | None, at: int) -> bool:
    """Whether the two dashes there begin a line, and a comment that is part of nothing else."""
    if text[text.rfind("\n", 0, at) + 1 : at].strip():
        return False
    place = before.end if before else 0
    while place < at:
        found = _GAP.match(text, place)
        assert found
        place = _end_of_comment(text, place) if found.group() == "/*" else found.end()
    return place == at


def _end_of_comment(text: str, start: int) -> int:
    depth = 0
    for edge in _EDGE.finditer(text, start):
        depth += 1 if edge.group() == "/*" else -1
        if not depth:
            return edge.end()
    return len(text)
