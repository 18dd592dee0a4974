"""
Percent escapes of a URL, as Go's `net/url` reads and writes them. Pure, on bytes.

Which bytes may stand as they are depends on the part of the URL. A refusal keeps the piece
that it quotes apart, because the piece may belong to a secret.
"""

from __future__ import annotations

import re
from enum import Enum

from rung.golang_migrate.gostd.quoting import quoted

_ALWAYS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_FIRST_NOT_ASCII = 0x80
_PERCENT, _SPACE = b"%25", b"%20"
HIDDEN = "xxxxx"
"""What stands where a secret was."""


class Part(Enum):
    """A part of a URL that has rules of its own."""

    PATH = "path"
    HOST = "host"
    ZONE = "zone"
    USER = "user"
    QUERY = "query"
    FRAGMENT = "fragment"


_ALLOWED = {
    Part.PATH: _ALWAYS + b"$&+,/:;=@",
    Part.HOST: _ALWAYS + b"!\"$&'()*+,:;<=>[]",
    Part.ZONE: _ALWAYS + b"!\"$&'()*+,:;<=>[]",
    Part.USER: _ALWAYS + b"$&+,;=",
    Part.QUERY: _ALWAYS,
    Part.FRAGMENT: _ALWAYS + b"!$&()*+,/:;=?@",
}


class PartRefused(Exception):
    """
    A URL that cannot be read.

    Args:
        pieces: of the sentence; bytes are pieces of the URL, to be quoted.
    """

    def __init__(self, *pieces: str | bytes) -> None:
        super().__init__(*pieces)
        self._pieces = pieces

    def told(self, secrets: tuple[bytes, ...] = (), *, openly: bool = True) -> str:
        """
        The sentence, without secrets.

        Args:
            secrets: a piece that is part of one of them is hidden.
            openly: whether any piece may be shown at all.
        """
        shown = ""
        for piece in self._pieces:
            if isinstance(piece, str):
                shown += piece
            elif openly and not any(piece in secret for secret in secrets):
                shown += quoted(decoded(piece))
            else:
                shown += f'"{HIDDEN}"'
        return shown


def encoded(text: str) -> bytes:
    """A text as the bytes that the command line had."""
    return text.encode(errors="surrogateescape")


def decoded(raw: bytes) -> str:
    """Bytes as a text that `encoded` leads back to them."""
    return raw.decode(errors="surrogateescape")


def unescape(raw: bytes, part: Part) -> bytes:
    """
    Bytes with their escapes resolved; in a query `+` is a space.

    Raises:
        PartRefused: an escape is malformed or not allowed there, or a byte is not allowed in
            a host.
    """
    position = 0
    while position < len(raw):
        position += _checked(raw[position : position + 3], part)
    if part is Part.QUERY:
        raw = raw.replace(b"+", b" ")
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[0][1:].decode()), raw)


def escape(raw: bytes, part: Part) -> bytes:
    """Bytes with everything escaped that may not stand in a part; in a query a space is `+`."""
    allowed = _ALLOWED[part]
    shown = b"".join(bytes((c,)) if c in allowed else b"%%%02X" % c for c in raw)
    return shown.replace(b"%20", b"+") if part is Part.QUERY else shown


def _checked(piece: bytes, part: Part) -> int:
    """How many of these three bytes belong together."""
    if piece.startswith(b"%"):
        _check_escape(piece, part)
        return len(piece)
    code = piece[0]
    if part in {Part.HOST, Part.ZONE} and code < _FIRST_NOT_ASCII and code not in _ALLOWED[part]:
        raise PartRefused("invalid character ", piece[:1], " in host name")
    return 1


def _check_escape(piece: bytes, part: Part) -> None:
    good = bool(_ESCAPE.fullmatch(piece))
    if good and piece != _PERCENT:
        code = int(piece[1:], 16)
        if part is Part.HOST:
            good = code >= _FIRST_NOT_ASCII
        elif part is Part.ZONE:
            good = piece == _SPACE or code in _ALLOWED[part]
    if not good:
        raise PartRefused("invalid URL escape ", piece)
