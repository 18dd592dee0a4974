"""
What is wrong with a URL that cannot be read, told without a piece of its secrets. Pure.

What the writer meant is guessed only for the error's sake: nothing is connected to on a guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rung.errors import UsageError
from rung.masking import HIDDEN, redacted_word

if TYPE_CHECKING:
    from collections.abc import Collection

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""The values of libpq's sslmode, and of asyncpg's ssl."""
_ENCODED = {"@": "%40", "/": "%2F", "%": "%25"}
_PIECES = re.compile(r"%(?![0-9A-Fa-f]{2})|[@/]|(?:%[0-9A-Fa-f]{2}|[^@/%])+")
_HOST = r"(?:\[[0-9A-Fa-f:.%]*\]|[^\[\]:/?@,\s]*)(?::[0-9]*)?"
_TAIL = re.compile(rf"{_HOST}(?:,{_HOST})*(?:/[^/?@:]*)?\Z")
_FORM = (
    "Write postgresql://USER:PASSWORD@HOST:PORT/NAME, with reserved characters in the "
    "password percent-encoded (@ is %40, : is %3A, / is %2F, ? is %3F, % is %25)."
)
_KEYWORDS = (
    "Write a URL, postgresql://USER:PASSWORD@HOST:PORT/NAME, or keywords as libpq has them, "
    "host=HOST dbname=NAME; a value with spaces goes in single quotes, a setting of the "
    "session into options='-c NAME=VALUE'."
)


_BEHIND_A_COLON = re.compile(r"(?<=%3a).+", re.IGNORECASE | re.DOTALL)


class _Meant(NamedTuple):
    """A URL as its writer most likely meant it."""

    user: str
    password: str
    colon: str
    place: str
    query: str


def unreadable(*, url: bool = False) -> UsageError:
    """The error where nothing can be said of the part at fault."""
    what = "URL" if url else "URL or connection string"
    return UsageError(f"The database's {what} cannot be read.", _FORM if url else _KEYWORDS)


def bad_escape(part: str) -> UsageError:
    """The error for a % that begins no escape, in a part without secrets."""
    return UsageError(
        f"The {part} in the database's URL has a % that begins no character's code.",
        "Write %25 for a % that is meant as it stands.",
    )


def bad_key() -> UsageError:
    """The error for a key that can be no key; it is not shown, for it may be no key at all."""
    return UsageError(
        "The part behind the ? of the database's URL has a key that is no name.",
        "Write KEY=VALUE pairs with & between them; a ? or & that belongs to the password is "
        "%3F or %26 there.",
    )


def bad_ssl(value: str) -> UsageError:
    """The error for asyncpg's key; a value that is none of its own is not shown."""
    mode = value if value in SSL_MODES else "MODE"
    return UsageError(
        "the database's URL has the key ssl, which is asyncpg's; libpq's is sslmode",
        f"use sslmode: sslmode={mode}, or write the URL as SQLAlchemy does, postgresql+asyncpg://",
    )


def complaint(scheme: str, rest: str, known_keys: Collection[str]) -> UsageError:
    """
    The error for credentials that libpq would refuse or cut.

    Args:
        scheme: with its `://`.
        rest: all behind it.
        known_keys: the keys whose values may have an @ in them.
    """
    meant = _as_meant(rest, known_keys)
    faults = _faults(meant) if meant else ""
    if meant is None or not faults:
        return UsageError(
            "The port in the database's URL is no number, or a password stands where no @ follows.",
            _FORM,
        )
    return UsageError(
        f"The {faults} in the database's URL must be percent-encoded.",
        f"Write {scheme}{_shown(meant)}",
    )


def _as_meant(rest: str, known_keys: Collection[str]) -> _Meant | None:
    """The credentials end at the first @ behind which all is well formed."""
    for found in re.finditer("@", rest):
        place, mark, query = rest[found.end() :].partition("?")
        if _TAIL.match(place) and _is_query(query, known_keys):
            user, colon, password = rest[: found.start()].partition(":")
            return _Meant(user, password, colon, place, mark and "?" + "…")
    return None


def _is_query(query: str, known_keys: Collection[str]) -> bool:
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return all(
        equals and (key in known_keys or "@" not in key + value) for key, equals, value in pairs
    )


def _faults(meant: _Meant) -> str:
    """Which characters of which part, in a phrase; empty where none is at fault."""
    for part, text in (("user name", meant.user), ("password", meant.password)):
        wrong = sorted({piece for piece in _PIECES.findall(text) if piece in _ENCODED})
        if "%00" in text:
            return f"{part}'s %00, which no server takes,"
        if wrong:
            return f"{' and '.join(wrong)} of the {part}"
    return ""


def _shown(meant: _Meant) -> str:
    user = "".join(_ENCODED.get(piece, piece) for piece in _PIECES.findall(meant.user))
    # A name with a colon in it is a name and a password to whoever encoded the colon.
    user = _BEHIND_A_COLON.sub(HIDDEN, user)
    secret = "".join(_ENCODED.get(piece, HIDDEN) for piece in _PIECES.findall(meant.password))
    return f"{user}{meant.colon}{secret}@{redacted_word(meant.place)}{meant.query}"
