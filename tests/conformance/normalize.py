"""
Makes two commands' words comparable: what differs by chance is replaced by its name.

Nothing of meaning is dropped; what two threads print in no certain order is put apart, sorted.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONG = r"-?(?:[0-9]+(?:\.[0-9]+)?(?:h|ms|m|ns|s|µs))+"
_IN_BRACKETS = re.compile(rf"\({_LONG}\)")
_READ_AND_RAN = re.compile(rf"\(read {_LONG}, ran {_LONG}\)")
_FINISHED_AFTER = re.compile(rf"Finished after {_LONG}")
_MOMENT = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", re.MULTILINE)
_DRIVERS = re.compile(r"^(Source|Database) drivers: .*$", re.MULTILINE)
_STACK = re.compile(r"\ngoroutine \d+ .*\Z", re.DOTALL)
_STAMP = re.compile(r"\b20\d{12}(?=_)")
_UNIX = re.compile(r"\b1[789]\d{8}(?=_)")
_BUFFERING = re.compile(r"(?:<moment> )?(?:Start buffering|Scheduled) ")
_READ_AHEAD = re.compile(r"error: read [^\n]*?: is a directory")
"""Said by golang-migrate's reader, without a line's end, somewhere among the lines."""
APART = "--- in any order:"
"""Stands before the lines of the reader that runs ahead."""


def normal(text: str, names: Mapping[str, str]) -> str:
    """
    Replace times, places and names of this machine.

    Args:
        text: what a command wrote.
        names: texts of this run, and what each is called; longer texts go first.
    """
    for found in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(found, names[found])
    text = _READ_AND_RAN.sub("(read <time>, ran <time>)", text)
    text = _FINISHED_AFTER.sub("Finished after <time>", text)
    text = _IN_BRACKETS.sub("(<time>)", text)
    text = _MOMENT.sub("<moment> ", text)
    text = _DRIVERS.sub(r"\1 drivers: <names>", text)
    text = _UNIX.sub("<seconds>", _STAMP.sub("<stamp>", text))
    ahead = "".join(_READ_AHEAD.findall(text))
    return _apart(ahead + _READ_AHEAD.sub("", _STACK.sub("\n<stack>", text)))


def hours() -> dict[str, str]:
    """Name this hour and this year as they stand in the names of files."""
    now = datetime.now(UTC)
    return {
        f"{now:%Y%m%d%H}_": "<hour>_",
        f"{now + timedelta(hours=9):%Y%m%d%H}_": "<hour in Tokyo>_",
        f"{now:%Y}_": "<year>_",
        f"version: {now:%Y}\n": "version: <year>\n",
    }


def _apart(text: str) -> str:
    """Put the reader's lines behind the others, sorted."""
    lines = text.splitlines(keepends=True)
    ahead = sorted(line for line in lines if _BUFFERING.match(line))
    if not ahead:
        return text
    rest = "".join(line for line in lines if not _BUFFERING.match(line))
    return f"{rest}{APART}\n{''.join(ahead)}"
