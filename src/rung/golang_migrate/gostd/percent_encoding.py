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


class UrlPart(Enum):
    """The parts of a URL, which have different rules."""

    PATH = "path"
    HOST = "host"
    ZONE = "zone"
    USER = "user"
    QUERY = "query"
    FRAGMENT = "fragment"


_ALLOWED = {
    UrlPart.PATH: _ALWAYS + b"$&+,/:;=@",
    UrlPart.HOST: _ALWAYS + b"!\"$&'()*+,:;<=>[]",
    UrlPart.ZONE: _ALWAYS + b"!\"$&'()*+,:;<=>[]",
    UrlPart.USER: _ALWAYS + b"$&+,;=",
    UrlPart.QUERY: _ALWAYS,
    UrlPart.FRAGMENT: _ALWAYS + b"!$&()*+,/:;=?@",
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


def unescape(raw: bytes, part: UrlPart) -> bytes:
    """
    Resolve the escapes of bytes; in a query `+` is a space.

    Raises:
        PartRefused: an escape is malformed or not allowed in this part, or a byte is not allowed
            in a host.
    """
    position = 0
    while position < len(raw):
        position += _checked(raw[position : position + 3], part)
    if part is UrlPart.QUERY:
        raw = raw.replace(b"+", b" ")
    return _ESCAPE.sub(lambda match: bytes.fromhex(match[0][1:].decode()), raw)


def escape(raw: bytes, part: UrlPart) -> bytes:
    """Escape every byte that a part does not allow; in a query a space becomes `+`."""
    allowed = _ALLOWED[part]
    text = b"".join(bytes((c,)) if c in allowed else b"%%%02X" % c for c in raw)
    return text.replace(b"%20", b"+") if part is UrlPart.QUERY else text


def _checked(piece: bytes, part: UrlPart) -> int:
    """Return the length of the escape or byte at the start of these three bytes."""
    if piece.startswith(b"%"):
        _check_escape(piece, part)
        return len(piece)
    code = piece[0]
    if (
        part in {UrlPart.HOST, UrlPart.ZONE}
        and code < _FIRST_NOT_ASCII
        and code not in _ALLOWED[part]
    ):
        raise PartRefused("invalid character ", piece[:1], " in host name")
    return 1


def _check_escape(piece: bytes, part: UrlPart) -> None:
    is_valid = bool(_ESCAPE.fullmatch(piece))
    if is_valid and piece != _PERCENT:
        code = int(piece[1:], 16)
        if part is UrlPart.HOST:
            is_valid = code >= _FIRST_NOT_ASCII
        elif part is UrlPart.ZONE:
            is_valid = piece == _SPACE or code in _ALLOWED[part]
    if not is_valid:
        raise PartRefused("invalid URL escape ", piece)
