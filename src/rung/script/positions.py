"""Turns offsets into lines and columns for people. Counts characters, from 1."""

from __future__ import annotations


def place_of(text: str, offset: int) -> tuple[int, int, str]:
    r"""
    Give the line and the column of an offset, and that line without its line end.

    A line ends with \n or \r\n, as PostgreSQL and editors count; a lone \r ends none.

    Args:
        text: the script's.
        offset: in characters from 0; beyond the end it means the end.
    """
    offset = min(max(offset, 0), len(text))
    begin = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    excerpt = text[begin : end if end >= 0 else len(text)]
    if end >= 0:
        excerpt = excerpt.removesuffix("\r")
    return text.count("\n", 0, offset) + 1, offset - begin + 1, excerpt
