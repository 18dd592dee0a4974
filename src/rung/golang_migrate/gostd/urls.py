"""
URLs as Go's `net/url` takes them apart and puts them together. Pure.

The same URLs are taken and refused, in the same words, but that no password is in them: Go
shows the whole URL, password included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rung.golang_migrate.gostd.hosts import parse_host
from rung.golang_migrate.gostd.percent_encoding import (
    Part,
    PartRefused,
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
    Part.PATH: re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,;=:@\[\]%/]*\Z"),
    Part.FRAGMENT: re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,;=:@\[\]%/?]*\Z"),
}


class UrlRefused(ValueError):
    """A URL that cannot be read. The text is Go's, without a secret."""


@dataclass(frozen=True, slots=True)
class Authority:
    """What stands between `//` and the path, decoded."""

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
        path: as it is written.
        query: as it is written; None where the URL has no `?`.
        fragment: as it is written.
    """

    scheme: str
    opaque: str
    authority: Authority | None
    written_path: str
    query: str | None
    fragment: str

    @property
    def host(self) -> str:
        """The host with its port; empty where there is none."""
        return self.authority.host if self.authority else ""

    @property
    def path(self) -> str:
        """The path, decoded."""
        return decoded(unescape(encoded(self.written_path), Part.PATH))

    def __repr__(self) -> str:
        return f"Url({self.scheme}:***)"


def parse(text: str) -> Url:
    """
    Take a URL apart.

    Raises:
        UrlRefused: Go refuses it too.
    """
    head, _, fragment = text.partition("#")
    shown = len(head)
    try:
        url = _parse(encoded(head), fragment)
        shown = len(text)
        unescape(encoded(fragment), Part.FRAGMENT)
    except PartRefused as error:
        secrets = UrlSecrets.of(text)
        said = f"parse {quoted(secrets.hidden(shown))}: {secrets.told(error)}"
        raise UrlRefused(said) from None
    return url


def _parse(head: bytes, fragment: str) -> Url:
    if _CONTROL.search(head):
        raise PartRefused("net/url: invalid control character in URL")
    scheme, rest = _scheme(head)
    rest, mark, query = rest.partition(b"?")
    asked = decoded(query) if mark else None
    if scheme and not rest.startswith(b"/"):
        return Url(scheme, decoded(rest), None, "", asked, fragment)
    if b":" in rest.partition(b"/")[0]:
        raise PartRefused("first path segment in URL cannot contain colon")
    authority = None
    if rest.startswith(b"//") and (scheme or not rest.startswith(b"///")):
        named, slash, path = rest[2:].partition(b"/")
        authority, rest = _authority(named), slash + path
    unescape(rest, Part.PATH)
    return Url(scheme, "", authority, decoded(rest), asked, fragment)


def _scheme(head: bytes) -> tuple[str, bytes]:
    if head.startswith(b":"):
        raise PartRefused("missing protocol scheme")
    found = _SCHEME.match(head)
    return (decoded(found[1]).lower(), head[found.end() :]) if found else ("", head)


def _authority(written: bytes) -> Authority:
    userinfo, at, place = written.rpartition(b"@")
    host = decoded(parse_host(place))
    if not at:
        return Authority(None, None, host)
    if not _USERINFO.match(userinfo):
        raise PartRefused("net/url: invalid userinfo")
    user, colon, password = userinfo.partition(b":")
    name, secret = unescape(user, Part.USER), unescape(password, Part.USER)
    return Authority(decoded(name), decoded(secret) if colon else None, host)


def written(url: Url) -> str:
    """A URL with a scheme put together again, with everything escaped that Go escapes."""
    place = url.opaque or _place(url) + _escaped(url.written_path, Part.PATH)
    query = "" if url.query is None else f"?{url.query}"
    fragment = _escaped(url.fragment, Part.FRAGMENT)
    return f"{url.scheme}:{place}{query}" + (f"#{fragment}" if fragment else "")


def _place(url: Url) -> str:
    named = url.authority
    if named is None or not (named.host or named.user is not None or url.written_path):
        return ""
    user = "" if named.user is None else _escape(named.user, Part.USER)
    secret = "" if named.password is None else f":{_escape(named.password, Part.USER)}"
    at = "" if named.user is None else "@"
    return f"//{user}{secret}{at}{_escape(named.host, Part.HOST)}"


def _escape(text: str, part: Part) -> str:
    return decoded(escape(encoded(text), part))


def _escaped(given: str, part: Part) -> str:
    """A path or fragment as it was given, where nothing in it needs to be escaped."""
    raw = encoded(given)
    return given if _LEFT_ALONE[part].match(raw) else decoded(escape(unescape(raw, part), part))
