"""
Read URLs as golang-migrate does: a driver's name, a folder, settings.

Owns the rules and their texts. Whether the driver or folder exists is checked elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.golang_migrate.gostd.paths import absolute, working_directory
from rung.golang_migrate.gostd.percent_encoding import (
    PartRefused,
    UrlPart,
    decoded,
    encoded,
    escape,
    unescape,
)
from rung.golang_migrate.gostd.urls import Url, parse, written

if TYPE_CHECKING:
    from collections.abc import Mapping

Values = dict[str, list[str]]
"""The settings of a query: each key with its values, in order."""

_CUSTOM = "x-"
_MOST_PAIRS = 10_000


class AddressRefused(ValueError):
    """A URL without a driver or a folder. The text is golang-migrate's."""


def scheme_of(url: str) -> str:
    """
    Return the text before the first colon, the name of a database's driver.

    Raises:
        AddressRefused: the URL is empty, or has nothing before a colon.
    """
    if not url:
        raise AddressRefused("URL cannot be empty")
    scheme, colon, _ = url.partition(":")
    if not colon or not scheme:
        raise AddressRefused("no scheme")
    return scheme


def source_scheme(url: str) -> str:
    """
    Return the name of a source's driver, in lower case.

    Raises:
        UrlRefused: it is not a URL.
        AddressRefused: it has a colon, but no scheme.
    """
    scheme = parse(url).scheme
    if not scheme:
        raise AddressRefused("source driver: invalid URL scheme")
    return scheme


def source_folder(url: str) -> str:
    """
    Return the absolute path of the folder that a `file:` URL names.

    Host and path together are the path: `file://a/b` is `a/b` in the working directory. User,
    query and fragment are ignored.

    Raises:
        UrlRefused: it is not a URL.
        AddressRefused: the working directory does not exist any more.
    """
    address = parse(url)
    path = address.opaque or address.host + address.path
    try:
        if not path:
            return working_directory()
        return path if path.startswith("/") else absolute(path)
    except OSError as error:
        raise AddressRefused(f"getwd: {(error.strerror or str(error)).lower()}") from error


def settings_of(url: Url) -> Values:
    """
    Return the settings in a URL's query, decoded.

    As in Go, a pair that is malformed or contains a `;` is ignored, and all are where there are
    more than ten thousand.
    """
    values: Values = {}
    pairs = (url.query or "").split("&")
    for pair in pairs if len(pairs) <= _MOST_PAIRS else ():
        try:
            key, value = (_unescaped(text) for text in pair.partition("=")[::2])
        except PartRefused:
            continue
        if pair and ";" not in pair:
            values.setdefault(key, []).append(value)
    return values


def first(values: Mapping[str, list[str]], key: str) -> str:
    """Return the first value of a key; empty where the key is absent."""
    return values.get(key, [""])[0]


def custom(values: Mapping[str, list[str]]) -> Values:
    """Return golang-migrate's own settings: those whose keys begin with `x-`."""
    return {key: value for key, value in values.items() if key.startswith(_CUSTOM)}


def library_url(url: Url) -> str:
    """
    Return a database's URL as golang-migrate passes it to the database's library.

    Its own settings are removed; the others are sorted by key and escaped again.
    """
    values = {k: v for k, v in settings_of(url).items() if not k.startswith(_CUSTOM)}
    query = "&".join(
        f"{_escaped(key)}={_escaped(value)}"
        for key in sorted(values, key=encoded)
        for value in values[key]
    )
    return written(replace(url, query=query or ("" if url.query == "" else None)))


def _unescaped(text: str) -> str:
    return decoded(unescape(encoded(text), UrlPart.QUERY))


def _escaped(text: str) -> str:
    return decoded(escape(encoded(text), UrlPart.QUERY))
