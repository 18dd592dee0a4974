"""
Takes the secrets of a connection out of a text. Pure.

Owns what a secret looks like in a URL and in a keyword string. Whether a text may be shown at
all is decided by whoever shows it; secrets inside migration files are not known here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"
SECRET_KEYS = (
    "password",
    "sslpassword",
    "oauth_client_secret",
    "scram_client_key",
    "scram_server_key",
)
"""The keys of libpq whose values nobody may see."""

_SHORT = 4
"""A secret with fewer characters is hidden only where it stands as a word of its own."""

_IN_URL = (
    re.compile(r"://[^/?#\s:@]*:(.*?)@", re.DOTALL),
    re.compile(r"://[^/?#\s:@]*:(.*)@", re.DOTALL),
)
_AS_KEY = re.compile(
    rf"\b(?:{'|'.join(SECRET_KEYS)})\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s&']+))", re.IGNORECASE
)
_CREDENTIALS = re.compile(r"\A([a-z][a-z0-9+.-]*://[^/?#\s:@]*):[^/?#\s@]*@", re.IGNORECASE)
_ANY_URL = re.compile(r"(://[^/?#\s:@]*:)\S*@")


def secrets_in(database: str) -> set[str]:
    """
    The secrets of a URL or a keyword string, as they are written and decoded.

    Args:
        database: may be malformed; then what may be a secret counts as one.
    """
    found = {quoted or plain for quoted, plain in _AS_KEY.findall(database)}
    found.update(secret for pattern in _IN_URL for secret in pattern.findall(database))
    return (found | {unquote(secret) for secret in found}) - {""}


def masked(text: str, secrets: Iterable[str | None] = ()) -> str:
    """
    A text without these secrets, and without what looks like one.

    Args:
        text: what somebody else said, such as a server.
        secrets: as they are; hidden in their percent-encoded forms too. Empty ones are ignored.
    """
    given = {secret for secret in secrets if secret}
    forms = given | {quote(secret) for secret in given} | {quote(s, safe="") for s in given}
    for form in sorted(forms, key=len, reverse=True):
        text = _without(text, form)
    text = _AS_KEY.sub(lambda found: f"{found[0].partition('=')[0]}={HIDDEN}", text)
    return _ANY_URL.sub(rf"\1{HIDDEN}@", text)


def without_password(database: str) -> str | None:
    """
    A URL or a keyword string without its password, which still names the database.

    Returns:
        The same text where there is no password in it; None where it cannot be taken out for
        certain.
    """
    if not secrets_in(database):
        return database
    bare = _CREDENTIALS.sub(r"\1@", database)
    head, mark, query = bare.partition("?")
    if mark and "://" in head:
        kept = [pair for pair in query.split("&") if not _AS_KEY.search(pair)]
        bare = "?".join(part for part in (head, "&".join(kept)) if part)
    elif "://" not in bare:
        bare = " ".join(_AS_KEY.sub("", bare).split())
    return None if secrets_in(bare) or bare.count("@") > 1 else bare


def _without(text: str, secret: str) -> str:
    if len(secret) >= _SHORT:
        return text.replace(secret, HIDDEN)
    return re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
