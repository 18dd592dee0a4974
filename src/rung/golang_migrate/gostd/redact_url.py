"""
A URL without its secrets, however malformed it is. Pure.

Where it cannot be told for certain what the password is, everything is hidden that might be
it: from the first colon after `://` to the last `@`, since raw `/`, `?`, `#` and `@` in a
password make Go read the URL otherwise than its writer did.
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
    Where the secrets of a URL are.

    Args:
        url: the whole of it.
        spans: first and last index of each secret.
        openly: whether the URL leaves no doubt where its password ends.
    """

    url: str
    spans: tuple[Span, ...]
    openly: bool

    @classmethod
    def of(cls, url: str) -> UrlSecrets:
        """The secrets of any text that is used as a URL."""
        start, end = _credentials(url)
        area = url[start:end]
        clear = "@" not in area and not _END_OF_HOST.search(area)
        password = _password(url, start, end, clear=clear)
        if not (password or "@" in url) and (cut := _without_host(url, start)):
            clear, password = False, [cut]
        spans = [*password, *_values(url)]
        ended = "@" in url or "%40" in url  # else only what stands where a port does is hidden
        more = [span for span in redaction.secret_spans(url) if not _is_within(span, spans)]
        more = more if ended or not password else []
        found = sorted(span for span in (*spans, *more) if span[0] < span[1])
        return cls(url, tuple(found), not more and (clear or not password))

    def hidden(self, end: int | None = None) -> str:
        """The URL up to an index, without its secrets."""
        shown, position = "", 0
        stop = len(self.url) if end is None else end
        for first, last in self.spans:
            if position <= first < stop:
                shown += self.url[position:first] + HIDDEN
            position = max(position, last)
        return shown + self.url[position:stop]

    def told(self, error: PartRefused) -> str:
        """What is wrong with the URL, without its secrets."""
        secrets = tuple(encoded(self.url[first:last]) for first, last in self.spans)
        return error.told(secrets, openly=self.openly)


def masked(url: str) -> str:
    """
    A URL with `xxxxx` for every password, for messages that show it.

    Args:
        url: may be malformed; a URL without user and password is left as it is.
    """
    return UrlSecrets.of(url).hidden()


def _credentials(url: str) -> Span:
    """From after the scheme to the last `@`; empty where there is none."""
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
    """What stands where a port does and is none: it may be the password of a URL cut short."""
    authority = _END_OF_HOST.split(url[start:], maxsplit=1)[0]
    host, colon, port = authority.partition(":")
    of_a_file = url[:start].lower().startswith("file:")
    if of_a_file or not (url[:start].endswith("//") and colon) or host.startswith("["):
        return None
    first, _, _ = port.partition(",")  # of several hosts
    return (
        None if first.isdecimal() or not first else (start + len(host) + 1, start + len(authority))
    )


def _is_within(span: Span, spans: list[Span]) -> bool:
    return any(first <= span[0] and span[1] <= last for first, last in spans)


def _values(url: str) -> list[Span]:
    """The values of the keys that hold secrets."""
    pairs = [pair.span(2) for pair in _PAIR.finditer(url) if pair[2] and _is_secret(pair[1])]
    return pairs + [word.span(1) for word in _KEYWORD.finditer(url)]


def _is_secret(key: str) -> bool:
    return unquote_plus(key).lower() in SECRET_KEYS
