"""
What golang-migrate makes of the URLs that it is given: a driver's name, a folder, settings.

Owns the rules and their texts. Whether there is such a driver or folder is asked elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.golang_migrate.gostd.paths import absolute, working_directory
from rung.golang_migrate.gostd.percent_encoding import (
    Part,
    PartRefused,
    decoded,
    encoded,
    escape,
    unescape,
)
from rung.golang_migrate.gostd.urls import Url, parse, written

if TYPE_CHECKING:
    from collections.abc import Mapping

Values = dict[str, list[str]]
"""The settings of a query: each key with its values, in the order they were given."""

_CUSTOM = "x-"
_MOST_PAIRS = 10_000


class AddressRefused(ValueError):
    """A URL that names no driver or no folder. The text is golang-migrate's."""


def scheme_of(url: str) -> str:
    """
    The text before the first colon, which is the name of a database's driver as it stands.

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
    The name of a source's driver, in lower case.

    Raises:
        UrlRefused: it is no URL.
        AddressRefused: it has a colon, but no scheme.
    """
    scheme = parse(url).scheme
    if not scheme:
        raise AddressRefused("source driver: invalid URL scheme")
    return scheme


def source_folder(url: str) -> str:
    """
    The folder that a `file:` URL names, from the root on.

    Host and path together are the path: `file://a/b` is `a/b` in the working directory. User,
    query and fragment do not count.

    Raises:
        UrlRefused: it is no URL.
        AddressRefused: the working directory is gone.
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
    The settings in a URL's query, decoded.

    A pair that is malformed, or holds a `;`, does not count, as in Go; nor does any of more
    than ten thousand.
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
    """The first value of a key; empty where it is not there."""
    return values.get(key, [""])[0]


def custom(values: Mapping[str, list[str]]) -> Values:
    """The settings that are golang-migrate's own: those whose keys begin with `x-`."""
    return {key: given for key, given in values.items() if key.startswith(_CUSTOM)}


def for_the_library(url: Url) -> str:
    """
    A database's URL as golang-migrate hands it to the database's library.

    Without its own settings; the others are sorted by key and escaped anew.
    """
    kept = {k: v for k, v in settings_of(url).items() if not k.startswith(_CUSTOM)}
    query = "&".join(
        f"{_escaped(key)}={_escaped(value)}"
        for key in sorted(kept, key=encoded)
        for value in kept[key]
    )
    return written(replace(url, query=query or ("" if url.query == "" else None)))


def _unescaped(text: str) -> str:
    return decoded(unescape(encoded(text), Part.QUERY))


def _escaped(text: str) -> str:
    return decoded(escape(encoded(text), Part.QUERY))
