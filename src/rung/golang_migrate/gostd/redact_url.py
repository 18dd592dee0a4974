"""
Redact the secrets of a URL, even of a malformed one. Pure.

Where the password is ambiguous, everything that may be a part of it is redacted: from the first
colon after `://` to the last `@`, because a raw `/`, `?`, `#` or `@` in a password makes Go parse
the URL differently than its author meant it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from rung import redaction
from rung.golang_migrate.gostd.percent_encoding import HIDDEN, encoded
from rung.redaction import SECRET_KEYS

if TYPE_CHECKING:
    from rung.golang_migrate.gostd.percent_encoding import PartRefused

Span = tuple[int, int]

_END_OF_HOST = re.compile(r"[/?#]")
_PAIR = re.compile(r"(?<=[?&])([^=&]++)(?:=([^&]*+)|(?=&|\Z))")
_KEYWORD = re.compile(
    rf"\b(?:{'|'.join(SECRET_KEYS)})\s*=\s*('(?:[^'\\]|\\.)*'|[^&]*)", re.IGNORECASE | re.DOTALL
)
_ESCAPED_COLON = "%3a"


@dataclass(frozen=True, slots=True)
class UrlSecrets:
    """
    The positions of the secrets of a URL.

    Args:
        url: the whole URL.
        spans: start and end of each secret.
        is_unambiguous: whether it is certain where the password ends.
    """

    url: str
    spans: tuple[Span, ...]
    is_unambiguous: bool

    @classmethod
    def of(cls, url: str) -> UrlSecrets:
        """Find the secrets of any text that is used as a URL."""
        start, end = _credentials(url)
        area = url[start:end]
        clear = "@" not in area and not _END_OF_HOST.search(area)
        password = _password(url, start, end, clear=clear)
        if not (password or "@" in url) and (cut := _without_host(url, start)):
            clear, password = False, [cut]
        spans = [*password, *_values(url)]
        ended = "@" in url or "%40" in url  # else only a port is suspect
        more = [
            (start, end)
            for start, end in redaction.secret_spans(url)
            if not any(first <= start and end <= last for first, last in spans)
        ]
        more = more if ended or not password else []
        merged = sorted(span for span in (*spans, *more) if span[0] < span[1])
        return cls(url, tuple(merged), not more and (clear or not password))

    def redacted(self, end: int | None = None) -> str:
        """Return the redacted URL up to an index."""
        text, position = "", 0
        stop = len(self.url) if end is None else end
        for first, last in self.spans:
            if position <= first < stop:
                text += self.url[position:first] + HIDDEN
            position = max(position, last)
        return text + self.url[position:stop]

    def message(self, error: PartRefused) -> str:
        """Return the redacted message of an error of this URL."""
        secrets = tuple(encoded(self.url[first:last]) for first, last in self.spans)
        return error.message(secrets, is_unambiguous=self.is_unambiguous)


def redacted_url(url: str) -> str:
    """
    Replace every password in a URL by `xxxxx`, for messages.

    Args:
        url: may be malformed; a URL without user and password is unchanged.
    """
    return UrlSecrets.of(url).redacted()


def _credentials(url: str) -> Span:
    """Return the span from after the scheme to the last `@`; empty where there is none."""
    colon = url.find(":")
    start = 2 if url.startswith("//") else colon + 1
    if url.startswith("//", start) and start > 0:
        start += 2
    return start, max(start, url.rfind("@"))


def _password(url: str, start: int, end: int, *, clear: bool) -> list[Span]:
    area = url[start:end]
    if not clear and url[:start].lower().startswith("file:"):
        authority = _END_OF_HOST.split(area, maxsplit=1)[0]
        if "@" not in authority and ":" not in authority:
            return []
    if url[:start].endswith("//") and (colon := area.find(":")) >= 0:
        return [(start + colon + 1, end)]
    certain = url[:start].endswith("//") and _ESCAPED_COLON not in area.lower()
    return [] if certain else [(start, end)]


def _without_host(url: str, start: int) -> Span | None:
    """Return an invalid port's span: it may be the password of a truncated URL."""
    authority = _END_OF_HOST.split(url[start:], maxsplit=1)[0]
    host, colon, port = authority.partition(":")
    of_a_file = url[:start].lower().startswith("file:")
    if of_a_file or not (url[:start].endswith("//") and colon) or host.startswith("["):
        return None
    first, _, _ = port.partition(",")  # of several hosts
    return (
        None if first.isdecimal() or not first else (start + len(host) + 1, start + len(authority))
    )


def _values(url: str) -> list[Span]:
    """Return the spans of the values whose keys name secrets."""
    pairs = [pair.span(2) for pair in _PAIR.finditer(url) if pair[2] and _is_secret(pair[1])]
    return pairs + [word.span(1) for word in _KEYWORD.finditer(url)]


def _is_secret(key: str) -> bool:
    return unquote_plus(key).lower() in SECRET_KEYS
