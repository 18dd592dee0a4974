"""
Read and write percent escapes of a URL as Go's `net/url` does. Pure, on bytes.

Which bytes need no escape depends on the part of the URL. An error keeps the piece that it quotes
separate, because the piece may be part of a secret.
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
"""The replacement of a secret."""


class Part(Enum):
    """The parts of a URL, which have different rules."""

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
        pieces: of the message; bytes are pieces of the URL, to be quoted.
    """

    def __init__(self, *pieces: str | bytes) -> None:
        super().__init__(*pieces)
        self._pieces = pieces

    def message(self, secrets: tuple[bytes, ...] = (), *, is_unambiguous: bool = True) -> str:
        """
        Return the message without secrets.

        Args:
            secrets: a piece that is part of one of them is redacted.
            is_unambiguous: False redacts every piece.
        """
        text = ""
        for piece in self._pieces:
            if isinstance(piece, str):
                text += piece
            elif is_unambiguous and not any(piece in secret for secret in secrets):
                text += quoted(decoded(piece))
            else:
                text += f'"{HIDDEN}"'
        return text


def encoded(text: str) -> bytes:
    """Encode a text to the bytes of the command line."""
    return text.encode(errors="surrogateescape")


def decoded(raw: bytes) -> str:
    """Decode bytes to a text from which `encoded` restores them."""
    return raw.decode(errors="surrogateescape")


def unescape(raw: bytes, part: Part) -> bytes:
    """
    Resolve the escapes of bytes; in a query `+` is a space.

    Raises:
        PartRefused: an escape is malformed or not allowed in this part, or a byte is not allowed
            in a host.
    """
    position = 0
    while position < len(raw):
        position += _checked(raw[position : position + 3], part)
    if part is Part.QUERY:
        raw = raw.replace(b"+", b" ")
    return _ESCAPE.sub(lambda match: bytes.fromhex(match[0][1:].decode()), raw)


def escape(raw: bytes, part: Part) -> bytes:
    """Escape every byte that a part does not allow; in a query a space becomes `+`."""
    allowed = _ALLOWED[part]
    text = b"".join(bytes((c,)) if c in allowed else b"%%%02X" % c for c in raw)
    return text.replace(b"%20", b"+") if part is Part.QUERY else text


def _checked(piece: bytes, part: Part) -> int:
    """Return the length of the escape or byte at the start of these three bytes."""
    if piece.startswith(b"%"):
        _check_escape(piece, part)
        return len(piece)
    code = piece[0]
    if part in {Part.HOST, Part.ZONE} and code < _FIRST_NOT_ASCII and code not in _ALLOWED[part]:
        raise PartRefused("invalid character ", piece[:1], " in host name")
    return 1


def _check_escape(piece: bytes, part: Part) -> None:
    is_valid = bool(_ESCAPE.fullmatch(piece))
    if is_valid and piece != _PERCENT:
        code = int(piece[1:], 16)
        if part is Part.HOST:
            is_valid = code >= _FIRST_NOT_ASCII
        elif part is Part.ZONE:
            is_valid = piece == _SPACE or code in _ALLOWED[part]
    if not is_valid:
        raise PartRefused("invalid URL escape ", piece)
