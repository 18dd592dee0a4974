"""
Redact the credentials of a connection in a text. Pure.

Finds credentials in URLs, in keyword strings and in the words of a command line, misspelt ones
included. Secrets inside migration files are the business of `rung.script.sql_secrets`.

Every function takes time in proportion to the length of its text: each character is read a fixed
number of times, no expression here can match in two ways, and the candidates that Python examines
one by one are counted (`_MOST`). A text with more of them consists of little but keys and colons;
from there on everything that may be a credential is redacted without being examined.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

HIDDEN = "***"
SECRET_KEYS = (
    "password",
    "sslpassword",
    "oauth_client_secret",
    "scram_client_key",
    "scram_server_key",
)
"""The keys of libpq whose values are secret."""

Span = tuple[int, int]

_TELLING = 8
"""A shorter secret is redacted only at the position of a credential, not in any text."""
_COMMON = frozenset(
    {
        *("password", "passwords", "postgres", "postgresql", "database", "databases"),
        *("migration", "migrations", "schema_migrations", "schema_migrations_history"),
        *("localhost", "template0", "template1", "public", "connection", "authentication"),
        *("statement", "transaction", "rollback", "savepoint", "constraint", "references"),
        *("relation", "function", "procedure", "sequence", "character", "timestamp"),
        *("interval", "smallint", "username", "hostname", "sslmode", "verify-full"),
        *("verify-ca", "application_name", "connect_timeout", "search_path"),
    }
)
"""Words of ordinary messages: such a secret is redacted only at the position of a credential."""

_KEYS = "|".join(
    (
        "(?:pg|ssl|db|user|auth)?_?password",
        "(?:db|user|auth)?_?(?:passwd|pwd|passphrase)",
        "_auth_pass",
        *(key for key in SECRET_KEYS if "password" not in key),
    )
)
_KEY = re.compile(rf"(?<![A-Za-z0-9])(?:{_KEYS})(\s*+(?:=|%3D)\s*+)(?=\S)", re.IGNORECASE)
_STEM = re.compile(
    r"(?:passw(?:or)?d|pwd|passphrase|_auth_pass|client_secret|scram_(?:client|server)_key)"
    r"\s*+(?:=|%3d)\s*+(?=\S)"
)
"""The end of each key, in lower case, without the optional prefixes that make a search slow."""
_LONGEST_PREFIX = len("oauth_")
_QUOTED = re.compile(r"'([^'\\]*+(?:\\(?:.|\Z)[^'\\]*+)*)(?:'|\Z)|\"([^\"]*+)(?:\"|\Z)", re.DOTALL)
_PLAIN = re.compile(r"[^\s&]*+")
_UP_TO_A_KEY = re.compile(r"[^\s&]*+(?:\s++(?![A-Za-z_]++\s*+=)[^\s&]++)*")
_IS_A_PLACE = re.compile(r"(?:\$[0-9]|%s|\?|:\w|\*\*\*)")
_CONNECTS = re.compile(
    r"\b(?:host|hostaddr|port|dbname|user|service|sslmode)\s*=\s*\S", re.IGNORECASE
)
_OF_A_QUERY = "?&;"

_COLON = re.compile(":|%3[Aa]")
_MOST = 20_000
"""Keys and colons that are examined in one text; later candidates are redacted unexamined."""
_BEFORE_A_COLON = r"(?<!\S)[^\s:%]*+(?:%(?!3[Aa])[^\s:%]*+)*(?::|%3[Aa])"
_WITH_AN_AT = re.compile(rf"{_BEFORE_A_COLON}(?=\S)[^\s@%]*+(?:%(?!40)[^\s@%]*+)*(?:@|%40)\S*+")
"""A word with a colon and a later @: a word without both holds no password."""
_WITH_A_COLON = re.compile(rf"{_BEFORE_A_COLON}(?:[/\\]|%2[Ff])\S*+|{_WITH_AN_AT.pattern}")
"""The same, or a word with a scheme."""
_UNJUDGED = re.compile(rf"({_BEFORE_A_COLON})\S*(@|%40)")
_UNJUDGED_LOOSELY = re.compile(
    rf"{_UNJUDGED.pattern}|({_BEFORE_A_COLON}(?:[/\\]|%2[Ff])"
    r"[^\s:%]*+(?:%(?!3[Aa])[^\s:%]*+)*(?::|%3[Aa]))\S++"
)
_AUTHORITY = re.compile(r"(?::|%3[Aa])(?:/|\\|%2[Ff])+")
_KEY_MARKS = ("passw", "pwd", "passphrase", "auth_pass", "client_secret", "scram_")
_PORT = re.compile(r"[0-9]{1,5}+(?:,[^/?#@]{0,999}+)?(?:[/?#]|%2F)", re.IGNORECASE)
_IS_A_PORT = re.compile(r"[0-9]*+(?:\Z|[/?#,])")
_NAME_BACKWARDS = re.compile(r"[\w.+~$-]++")
_LONGEST_NAME = 200
_OPENING = re.compile(r"[/\\'\"<(\[{]*+")
_CLOCK = re.compile(r"[0-9]++\Z")
_TIME = re.compile(r"[0-9]{1,2}+(?![0-9A-Za-z])")
_LINE_NUMBER = re.compile(r"[0-9]{1,4}+")
_DIGEST = re.compile(r"(?:@|%40)sha[0-9]+:", re.IGNORECASE)
_HOST_AND_MORE = re.compile(r"(?:@|%40)[\w.\[\]-]++(?::[0-9]|/\w)", re.IGNORECASE)
_DATABASES = frozenset(
    {
        *("postgres", "postgresql", "pgx", "pgx4", "pgx5", "psql", "pg", "cockroach"),
        *("cockroachdb", "crdb-postgres", "yugabyte", "yugabytedb", "ysql", "redshift"),
        *("mysql", "mariadb"),
    }
)
_NO_USERS = frozenset(
    {
        *("mailto", "to", "from", "cc", "bcc", "by", "author", "contact", "email"),
        *("e-mail", "mail", "reply-to", "sip", "sips", "xmpp", "acct", "urn", "cid"),
        *("mid", "news"),
    }
)
"""Words before a colon and an address that are not a user name."""
_ASKED_FOR = re.compile(rf"-{{0,2}}(?:{_KEYS})=?\Z", re.IGNORECASE)


def redacted(text: str) -> str:
    """
    Redact a text of a server or a library.

    Only certain credentials are redacted: those of URLs, of `user:password@host/name` and of
    libpq's keyword strings. Secrets in SQL are found by `rung.script.sql_secrets`.
    """
    text = _without(text, _keyword_spans(text, loosely=False))
    return _users_hidden(text, loosely=False)


def redacted_word(word: str) -> str:
    """
    Redact a word that a user gave: an argument, a value, a variable.

    Everything at the position of a password is redacted, also in a URL with an extra slash, a
    missing scheme or encoded separators.
    """
    return _without(word, secret_spans(word))


def redacted_words(text: str) -> str:
    """Redact a message of ours that quotes words of a command line."""
    text = _without(text, _keyword_spans(text, loosely=True))
    return _users_hidden(text, loosely=True)


def redacted_names(found: str) -> str:
    """Redact a name of a database or a user: a misspelt URL may have put a password into it."""
    bare = redacted_word(found)
    user, colon, rest = bare.partition(":")
    is_url = HIDDEN in rest and rest.startswith("//")
    return f"{user}:{HIDDEN}" if colon and not is_url else bare


def secrets_in(database: str) -> set[str]:
    """
    Give the secrets of a URL, a keyword string or another word, as written and decoded.

    Args:
        database: may be malformed; then everything that may be a secret is one.
    """
    found = {database[start:end] for start, end in secret_spans(database)}
    found |= {secret.partition("@")[0] for secret in found}
    return (found | {unquote(secret) for secret in found}) - {""}


def secrets_among(words: Sequence[str]) -> set[str]:
    """Give the secrets of a command line, also those that a shell split into several words."""
    found = {secret for word in words for secret in secrets_in(word)}
    asked = begun = False
    for word in words:
        if asked and word != "=":
            found.add(word)
        elif begun and (at := word.rfind("@")) > 0:
            found.add(word[:at])
        asked = bool(_ASKED_FOR.match(word)) or (asked and word == "=")
        begun = (begun and "@" not in word) or bool(_cut_short(word))
    return found


def without_values(text: str, secrets: Iterable[str | None], names: Collection[str] = ()) -> str:
    """
    Redact given secrets anywhere in a text.

    Args:
        text: a message of a server or a library.
        secrets: redacted in their percent-encoded forms too. A secret that is short, a common
            word or one of `names` may be part of any text, and stays.
        names: names of the user, the host, the database and the like.
    """
    plain = {name.lower() for name in names} | _COMMON
    given = {s for s in secrets if s and len(s) >= _TELLING and s.lower() not in plain}
    forms = given | {quote(secret) for secret in given} | {quote(s, safe="") for s in given}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def redacted_text(
    text: str, secrets: Iterable[str | None] = (), names: Collection[str] = ()
) -> str:
    """Redact given secrets (see `without_values`) and all other credentials of a text."""
    return redacted(without_values(text, secrets, names))


def without_password(database: str) -> str | None:
    """
    Remove the password from a URL or a keyword string; the rest still names the database.

    Returns:
        The same text if it holds no password; None if a password cannot be removed reliably.
    """
    if not secret_spans(database):
        return database
    head, mark, query = database.partition("?")
    scheme, slashes, rest = head.partition("://")
    if slashes:
        credentials, at, place = rest.partition("@")
        user, colon, _ = credentials.partition(":")
        if (colon and not at) or "/" in credentials or "@" in place or "%" in user:
            return None
        kept = [pair for pair in query.split("&") if not _KEY.match(pair)]
        bare = f"{scheme}://{user}{at}{place}" + "?" * bool(mark and kept) + "&".join(kept)
    elif "@" in database:
        return None
    else:
        bare = " ".join(_without(database, _key_spans(database), "").split())
    return None if secret_spans(bare) else bare


def _without(text: str, spans: Iterable[Span], instead: str = HIDDEN) -> str:
    parts, at = [], 0
    for start, end in sorted(spans):
        if end > at:
            parts += [text[at : max(start, at)], instead if start >= at else ""]
            at = end
    return "".join((*parts, text[at:]))


def _key_spans(text: str) -> list[Span]:
    """Give the spans of keys with their values, so that both can be removed."""
    spans, at = [], 0
    for key in _keys(text):
        if key.start() >= at:
            start, end = _value(text, key.end(), _UP_TO_A_KEY)
            at = end + (text[start - 1] in "'\"")
            spans.append((key.start(), at))
    return spans


def _keyword_spans(text: str, *, loosely: bool) -> Iterator[Span]:
    """
    Give the spans of the values of secret keys.

    Args:
        text: the text to search.
        loosely: accept a key anywhere; otherwise only in a URL's query or next to other keys of
            libpq.
    """
    if not _may_hold_a_key(text):
        return
    connects = bool(_CONNECTS.search(text))
    at = 0
    for judged, key in enumerate(_keys(text)):
        if judged > _MOST:
            yield max(at, key.end()), len(text)
            return
        if key.start() < at:
            continue
        of_a_query = text[key.start() - 1 : key.start()] in tuple(_OF_A_QUERY)
        close = not key[1].strip("=")
        told = connects or (loosely and (close or not key.start()))
        if of_a_query or (told and (close or loosely)):
            found = _value(text, key.end(), _UP_TO_A_KEY if loosely else _PLAIN)
            at = found[1]
            if not _IS_A_PLACE.match(text, found[0]):
                yield found


def _keys(text: str) -> Iterator[re.Match[str]]:
    """Give the matches of `_KEY`, found by their ends."""
    lowered = text.replace("\u0130", "i").lower()  # the one letter whose small form is longer
    for stem in _STEM.finditer(lowered):
        begin = max(0, stem.start() - _LONGEST_PREFIX)
        if key := _KEY.search(text, begin, stem.end() + 1):
            yield key


def _may_hold_a_key(text: str) -> bool:
    lowered = text.lower()
    return any(mark in lowered for mark in _KEY_MARKS)


def _value(text: str, start: int, plain: re.Pattern[str]) -> Span:
    if quoted := _QUOTED.match(text, start):
        return quoted.span(quoted.lastindex or 0)
    found = plain.match(text, start)
    assert found
    return found.span()


def secret_spans(word: str) -> list[Span]:
    """Give the spans of a word at the position of a secret; they may overlap."""
    keys = [*_keyword_spans(word, loosely=True)]
    if _to_judge(word) > _MOST:
        begin, end = _first_colon(word), max(word.rfind("@"), word.rfind("%40"))
        return [*keys, (begin, end if end > begin else len(word))]
    user = _credentials(word, loosely=True) or _cut_short(word)
    return [*keys, user] if user else keys


def _users_hidden(text: str, *, loosely: bool) -> str:
    """Redact the passwords of URLs and of `user:password@host` in a text of many words."""
    if ":" not in text and "%3" not in text:
        return text
    spans: list[Span] = []
    judged = 0
    for token in (_WITH_A_COLON if loosely else _WITH_AN_AT).finditer(text):
        word, start = token[0], token.start()
        judged += _to_judge(word)
        if judged > _MOST:
            rest = _unjudged(text[start:], loosely=loosely)
            return _without(text[:start], spans) + rest
        span = _credentials(word, loosely=loosely) or (_cut_short(word) if loosely else None)
        if span:
            spans.append((start + span[0], start + span[1]))
    return _without(text, spans)


def _to_judge(word: str) -> int:
    return 1 + word.count(":") + word.count("%3")


def _first_colon(word: str) -> int:
    found = _COLON.search(word)
    return found.end() if found else 0


def _unjudged(text: str, *, loosely: bool) -> str:
    if loosely:
        return _UNJUDGED_LOOSELY.sub(rf"\1\3{HIDDEN}\2", text)
    return _UNJUDGED.sub(rf"\1{HIDDEN}\2", text)


def _credentials(word: str, *, loosely: bool) -> Span | None:
    """Give the span of the password before the last @ of a word; None without one."""
    end = max(word.rfind("@"), word.rfind("%40"))
    if end <= 0:
        return None
    opened = _authority(word, end)
    if opened is None:
        return _bare(word, end, loosely=loosely)
    scheme, start = opened
    colon, begin = _colon(word, start, end)
    if len(scheme) == 1 or begin >= end:  # the letter of a drive
        return None
    ours = scheme.partition("+")[0] in _DATABASES
    user, password = word[start:colon], word[begin:end]
    lacks_a_colon = user.rpartition("//")[0].rpartition("/")[2].lower() in _DATABASES
    if not ours and (("/" in user and not lacks_a_colon) or _DIGEST.match(word, end)):
        return None
    if _PORT.match(password) and (not ours or "@" in user or "?" in password):
        return None
    return begin, end


def _authority(word: str, end: int) -> tuple[str, int] | None:
    """Give the scheme of a URL and the end of its slashes; None without a scheme."""
    found = _AUTHORITY.search(word, 0, end)
    return (_last_name(word, found.start()).lower(), found.end()) if found else None


def _colon(word: str, start: int, end: int) -> Span:
    """Give the span of the first colon, raw or encoded; after the end if there is none."""
    found = _COLON.search(word, start, end)
    return found.span() if found else (end, end + 1)


def _bare(word: str, end: int, *, loosely: bool) -> Span | None:
    """Give the password of `user:password@host`; not of a time, an image or a mail address."""
    if _DIGEST.match(word, end) or not (loosely or _HOST_AND_MORE.match(word, end)):
        return None
    opened = _OPENING.match(word)
    assert opened
    for colon in _COLON.finditer(word, 0, end - 1):
        user = _last_name(word, colon.start())
        opens = colon.start() - len(user) <= opened.end()
        if user and not _is_something_else(word, colon.span(), user, end, opens=opens):
            return colon.end(), end
    return None


def _is_something_else(word: str, colon: Span, user: str, end: int, *, opens: bool) -> bool:
    """Whether a colon belongs to a path, a mail address or a time; `opens`: it begins a word."""
    at, begin = colon
    first = at - len(user)
    if not opens and word[first - 1] in "/\\" and word[first - 2 : first] != "//":
        return True
    if user.lower() in _NO_USERS or (len(user) == 1 and word[begin] in "/\\"):
        return True
    if "." in user and _LINE_NUMBER.fullmatch(word, begin, end):
        return True
    is_clock = _CLOCK.match(user) or (user[-1].isdigit() and word.find(":", begin, end) >= 0)
    if is_clock and _TIME.match(word, begin, end):
        return True
    return bool(_PORT.match(word, begin, end))


def _cut_short(word: str) -> Span | None:
    """Give the text at the position of a database URL's port that is not a port, without an @."""
    if "@" in word or "%40" in word:
        return None
    schemes = _AUTHORITY.finditer(word)
    ours = (
        one.end()
        for one in schemes
        if _last_name(word, one.start()).lower().partition("+")[0] in _DATABASES
    )
    end, start = len(word), next(ours, -1)
    if start < 0:
        return None
    colon, begin = _colon(word, start, end)
    if begin >= end or "/" in word[start:colon] or word.startswith("[", start):
        return None
    return None if _IS_A_PORT.match(word, begin) else (begin, end)


def _last_name(text: str, end: int) -> str:
    """Give the name that ends at a position, up to the longest length of a name."""
    found = _NAME_BACKWARDS.match(text[max(0, end - _LONGEST_NAME) : end][::-1])
    return found[0][::-1] if found else ""
