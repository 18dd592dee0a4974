"""
Parse and compose URLs as Go's `net/url` does. Pure.

The same URLs are accepted and rejected, with the same messages, except that no message contains a
password: Go prints the whole URL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rung.golang_migrate.gostd.hosts import parse_host
from rung.golang_migrate.gostd.percent_encoding import (
    PartRefused,
    UrlPart,
    decoded,
    encoded,
    escape,
    unescape,
)
from rung.golang_migrate.gostd.quoting import quoted
from rung.golang_migrate.gostd.redact_url import UrlSecrets

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*):")
_USERINFO = re.compile(rb"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*\Z")
_LEFT_ALONE = {
    UrlPart.PATH: re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,;=:@\[\]%/]*\Z"),
    UrlPart.FRAGMENT: re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,;=:@\[\]%/?]*\Z"),
}


class UrlRefused(ValueError):
    """A URL that cannot be parsed. The text is Go's, without secrets."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The part between `//` and the path, decoded."""

    user: str | None
    """None where there is no `@`."""
    password: str | None
    """None where there is no colon after the user."""
    host: str
    """With its port, or several of them."""

    def __repr__(self) -> str:
        return f"Authority({self.host})"


@dataclass(frozen=True, slots=True)
class Url:
    """
    The parts of a URL.

    Args:
        scheme: lower-case; empty where the URL has none.
        opaque: all before the query where no slash follows the scheme.
        authority: None where the URL has no `//`.
        written_path: encoded, as in the URL.
        query: encoded; None where the URL has no `?`.
        fragment: encoded.
    """

    scheme: str
    opaque: str
    authority: Authority | None
    written_path: str
    query: str | None
    fragment: str

    @property
    def host(self) -> str:
        """Return the host with its port; empty where there is none."""
        return self.authority.host if self.authority else ""

    @property
    def path(self) -> str:
        """Return the decoded path."""
        return decoded(unescape(encoded(self.written_path), UrlPart.PATH))

    def __repr__(self) -> str:
        return f"Url({self.scheme}:***)"


def parse(text: str) -> Url:
    """
    Parse a URL.

    Raises:
        UrlRefused: Go rejects it too.
    """
    head, _, fragment = text.partition("#")
    length = len(head)
    try:
        url = _parse(encoded(head), fragment)
        length = len(text)
        unescape(encoded(fragment), UrlPart.FRAGMENT)
    except PartRefused as error:
        secrets = UrlSecrets.of(text)
        reason = f"parse {quoted(secrets.redacted(length))}: {secrets.message(error)}"
        raise UrlRefused(reason) from None
    return url


def _parse(head: bytes, fragment: str) -> Url:
    if _CONTROL.search(head):
        raise PartRefused("net/url: invalid control character in URL")
    if head.startswith(b":"):
        raise PartRefused("missing protocol scheme")
    match = _SCHEME.match(head)
    scheme = decoded(match[1]).lower() if match else ""
    rest = head[match.end() :] if match else head
    rest, mark, query = rest.partition(b"?")
    query_text = decoded(query) if mark else None
    if scheme and not rest.startswith(b"/"):
        return Url(scheme, decoded(rest), None, "", query_text, fragment)
    if b":" in rest.partition(b"/")[0]:
        raise PartRefused("first path segment in URL cannot contain colon")
    authority = None
    if rest.startswith(b"//") and (scheme or not rest.startswith(b"///")):
        authority_text, slash, path = rest[2:].partition(b"/")
        authority, rest = _authority(authority_text), slash + path
    unescape(rest, UrlPart.PATH)
    return Url(scheme, "", authority, decoded(rest), query_text, fragment)


def _authority(written: bytes) -> Authority:
    userinfo, at, host_text = written.rpartition(b"@")
    host = decoded(parse_host(host_text))
    if not at:
        return Authority(None, None, host)
    if not _USERINFO.match(userinfo):
        raise PartRefused("net/url: invalid userinfo")
    user, colon, password = userinfo.partition(b":")
    name, secret = unescape(user, UrlPart.USER), unescape(password, UrlPart.USER)
    return Authority(decoded(name), decoded(secret) if colon else None, host)


def written(url: Url) -> str:
    """Compose a URL with a scheme, with the escapes that Go writes."""
    location = url.opaque or _place(url) + _escaped(url.written_path, UrlPart.PATH)
    query = "" if url.query is None else f"?{url.query}"
    fragment = _escaped(url.fragment, UrlPart.FRAGMENT)
    return f"{url.scheme}:{location}{query}" + (f"#{fragment}" if fragment else "")


def _place(url: Url) -> str:
    authority = url.authority
    if authority is None or not (authority.host or authority.user is not None or url.written_path):
        return ""
    user = "" if authority.user is None else _escape(authority.user, UrlPart.USER)
    secret = "" if authority.password is None else f":{_escape(authority.password, UrlPart.USER)}"
    at = "" if authority.user is None else "@"
    return f"//{user}{secret}{at}{_escape(authority.host, UrlPart.HOST)}"


def _escape(text: str, part: UrlPart) -> str:
    return decoded(escape(encoded(text), part))


def _escaped(given: str, part: UrlPart) -> str:
    """Return a path or fragment; unchanged where nothing in it needs an escape."""
    raw = encoded(given)
    return given if _LEFT_ALONE[part].match(raw) else decoded(escape(unescape(raw, part), part))
