"""
Finds the secrets in a script, so that they are shown to nobody. Pure.

Owns what counts as one: the literal behind PASSWORD or a name that ends so, the literals in
OPTIONS of servers and user mappings, CONNECTION strings, and the passwords of connection
strings and URLs; in function bodies and strings of SQL too. What cannot be told from other
data (rows of a COPY, words of a comment) is not found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from rung.redaction import HIDDEN, SECRET_KEYS, redacted
from rung.script.large import lowered_parts
from rung.script.literals import Literal, literal, tokens_of
from rung.script.model import TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rung.script.model import Script, Token

_MARKS: Final = ("passw", "passphrase", "pwd", "options", "connection", "://")
_ROLE_MARK = re.compile(r"(?:create|alter)\s+(?:(?:user|role)\b|(?:u|us|use|r|ro|rol)?\Z)")
"""A text is looked through in parts: what one ends with may go on in the next."""
_NAME = re.compile(r"(?:password|passwd|passphrase|pwd)\Z", re.IGNORECASE)
_NAME_QUOTES: Final = '"`[]'
_PLACEHOLDER = re.compile(r"(?:%(?:[0-9]+\$)?-?[0-9]*[sLI])?\Z")
_COMMANDS = re.compile(
    r"\b(?:create|alter)\s+(?:role|user|group|server|subscription)\b", re.IGNORECASE
)
_ASSIGNS = frozenset({"=", ":=", "=>", "to"})
_RUNS_TEXT = frozenset({"execute", "format"})
_FOREIGN = frozenset({("create", "server"), ("alter", "server"), ("user", "mapping")})
# PASSWORD may be misspelt there: each literal of theirs but the time is taken for one.
_ROLES = frozenset((verb, kind) for verb in ("create", "alter") for kind in ("user", "role"))
_NO_ROLE = frozenset({"mapping", "set", "until"})
_DEEPEST, _LONGEST = 6, 2000
_TELLING, _MANY = 8, 200
"""A secret of so many characters is looked for elsewhere in the file; not where there are many."""

_LONGEST_SECRET = 500
_URL = re.compile(r"://[^/?#\s:@'\"]{0,200}+:")
"""Up to the password of a URL."""
_DATABASE = re.compile(r"postgres(?:ql)?\Z", re.IGNORECASE)
_ENDS_A_URL = re.compile(r"[\s'\"]")
_ENDS_A_PASSWORD = re.compile(r"[/\s:@'\"]")
_OF_A_QUERY = re.compile(
    rf"[?&](?:{'|'.join(SECRET_KEYS)})=([^&\s'\"]{{1,{_LONGEST_SECRET}}})", re.IGNORECASE
)
_CONNECTS = re.compile(r"\b(?:host|hostaddr|port|dbname|user|service)\s*=", re.IGNORECASE)
_KEY = re.compile(
    rf"\b(?:{'|'.join(SECRET_KEYS)})\s*=\s*(?:'((?:[^'\\]|\\.)*)'?|([^\s&']+))", re.IGNORECASE
)
_SAFE_KEYS = frozenset(
    {
        *("host", "hostaddr", "port", "dbname", "user", "service", "servername", "database"),
        *("extensions", "schema", "table", "format", "delimiter", "header", "null", "encoding"),
    }
)
_PLAIN = re.compile(
    r"\b(?:host|hostaddr|port|dbname|user|service|sslmode|application_name|connect_timeout)"
    r"\s*=\s*(?:'(?:[^'\\]|\\.)*'|[^\s']+)|\S+://|@[^@]*\Z",
    re.IGNORECASE,
)
_ONE_WORD = re.compile(r"\w*\Z")
_SAYS = re.compile(r"\w")
_CUT = re.compile(r"[\s:/@?#&=\[\],']+")
_TELLS_NOTHING = re.compile(r"(?:true|false|on|off|yes|no|[0-9]{1,5})\Z", re.IGNORECASE)
_IN_MESSAGE = re.compile(
    r"(?:password|passwd|passphrase|pwd|\bconnection)\"?\s*(?::?=\s*)?(?:e|u&)?'((?:[^']|'')+)",
    re.IGNORECASE,
)

_SETS_A_PASSWORD = re.compile(r"(?<=password=)(?!\*\*\*)[^\s'\"&;,)]+", re.IGNORECASE)


class SqlSecrets(NamedTuple):
    """What of a text is secret: the ranges to hide, and the values in every spelling met."""

    ranges: tuple[tuple[int, int], ...] = ()
    """Ascending offsets of the insides of literals, or of parts of them; none overlap."""
    values: frozenset[str] = frozenset()


_NONE = SqlSecrets()


def secrets_of(script: Script) -> SqlSecrets:
    """Find a script's secrets; a few tests of the whole text spare most scripts the search."""
    if not _may_hold_some(script.text):
        return _NONE
    found = _search(script.text, script.tokens, 0).secrets()
    return SqlSecrets(_merged((*found.ranges, *_repeated(script.text, found.values))), found.values)


def redacted_sql(
    script: Script, start: int = 0, end: int | None = None, secrets: SqlSecrets | None = None
) -> str:
    """
    Give a script's text, or a range of it, with `***` for what is inside a secret literal.

    Args:
        script: it stays as it is.
        start: offset of the range's first character.
        end: offset after its last; None for the script's end.
        secrets: of the script, where they are known already.
    """
    text = script.text
    end = len(text) if end is None else end
    parts, at = [], start
    for first, last in (secrets or secrets_of(script)).ranges:
        if last > start and first < end:
            parts += [text[at : max(first, at)], HIDDEN]
            at = min(last, end)
    return "".join((*parts, text[at:end]))


def without_passwords(text: str) -> str:
    """Return a server's text without the literals after PASSWORD in the SQL that it quotes."""
    return _IN_MESSAGE.sub(lambda found: found[0].removesuffix(found[1]) + HIDDEN, text)


def redacted_definition(text: str) -> str:
    """
    Redact a text of the catalogs: a definition in SQL, or a comment.

    A function's body or a default can hold a URL or a connection string with its password.
    """
    return _SETS_A_PASSWORD.sub(HIDDEN, redacted(without_passwords(text)))


def _search(text: str, tokens: Sequence[Token], depth: int) -> _Search:
    search = _Search(text, depth)
    for token in tokens:
        search.meet(token)
    search.take_urls()
    return search


class _Search:
    """
    Walks over the tokens of one text; strings that hold SQL are walked over as well.

    Args:
        text: a script's, or what a literal of one says.
        depth: how many literals are around it.
    """

    def __init__(self, text: str, depth: int) -> None:
        self._text, self._depth = text, depth
        self._ranges: list[tuple[int, int]] = []
        self._values: set[str] = set()
        self._before = self._word = self._joined = ""
        self._level = self._options = 0
        self._hid = self._awaits = self._open = False
        self._begin_statement()

    def _begin_statement(self) -> None:
        self._named = self._foreign = self._runs_text = self._follows = self._of_role = False

    def secrets(self) -> SqlSecrets:
        """All that was found so far."""
        values = frozenset(value for value in self._values if _SAYS.search(value))
        return SqlSecrets(_merged(self._ranges), values)

    @property
    def left_open(self) -> bool:
        """Whether a PASSWORD has no literal here: its value comes from somewhere else."""
        return self._open or self._awaits

    def meet(self, token: Token) -> None:
        """Take the next token."""
        kind = token.kind
        if kind is TokenKind.STRING:
            self._meet_string(literal(self._text, token))
            self._before = "'"
            return
        self._hid = False
        spelled = self._text[token.start : token.end].lower()
        if kind is TokenKind.WORD or kind is TokenKind.QUOTED_NAME:
            spelled = spelled.strip(_NAME_QUOTES)
            self._meet_word(spelled)
        elif kind is TokenKind.OPERATOR:
            self._meet_sign(spelled)
        self._before = spelled

    def _meet_word(self, word: str) -> None:
        self._awaits = bool(_NAME.search(word))
        self._named = self._named or self._awaits
        self._foreign = self._foreign or (self._before, word) in _FOREIGN
        self._runs_text = self._runs_text or word in _RUNS_TEXT
        if (self._before, word) in _ROLES:
            self._of_role = True
        elif word in _NO_ROLE:
            self._of_role = False
        if word not in _ASSIGNS:
            self._word = word

    def _meet_sign(self, sign: str) -> None:
        if sign == "(":
            self._level += 1
            if self._foreign and self._before == "options":
                self._options = self._level
        elif sign == ")":
            if self._level == self._options:
                self._options = 0
            self._level -= 1
        self._open = self._open or (self._awaits and sign.startswith("%"))
        self._awaits = self._awaits and sign in _ASSIGNS
        if sign in {";", ","}:
            self._named = False
        if sign == ";":
            self._begin_statement()

    def _meet_string(self, found: Literal) -> None:
        if self._is_secret():
            self._take(found)
            return
        self._awaits = False
        # A word by itself names nothing's secret; a command that is put together may end in one.
        if _ONE_WORD.match(found.inner) and not self._runs_text:
            return
        if _may_hold_some(found.inner):
            self._look_into(found)

    def _is_secret(self) -> bool:
        if self._before == "'":
            return self._hid
        if self._before == ":=" and self._named:
            return True
        if self._before in _ASSIGNS:
            return bool(_NAME.search(self._word))
        is_named = self._before == "connection" or bool(_NAME.search(self._before))
        return is_named or bool(self._options) or self._follows or self._of_role

    def _take(self, found: Literal) -> None:
        """A secret; a place that something else fills in is none, and says to look on."""
        self._awaits = False
        if _PLACEHOLDER.match(found.inner):
            self._open = True
            return
        self._joined = (self._joined if self._hid else "") + found.inner
        self._hid = True
        self._ranges.append((found.start, found.end))
        if self._options and (self._word in _SAFE_KEYS or _TELLS_NOTHING.match(found.inner)):
            return
        self._values |= {self._text[found.start : found.end], self._joined, *found.meanings}
        if self._before == "connection":
            self._values.update(piece for piece in _pieces(found.inner) if piece)

    def _look_into(self, found: Literal) -> None:
        """A string may be SQL that is run, or say how to connect."""
        if self._depth == _DEEPEST:
            self._ranges.append((found.start, found.end))
            return
        inside = _search(found.inner, tokens_of(found.inner), self._depth + 1)
        if inside.left_open and (self._runs_text or _COMMANDS.search(found.inner)):
            self._follows = True
        nested = inside.secrets()
        self._values |= nested.values
        for start, end in (*nested.ranges, *self._connection_secrets(found.inner)):
            self._add(found.place(start), found.place(end))

    def _connection_secrets(self, inner: str) -> Iterable[tuple[int, int]]:
        if ";" in inner or not _CONNECTS.search(inner):
            return
        for key in _KEY.finditer(inner):
            group = 1 if key[1] is not None else 2
            self._values |= {key[group], re.sub(r"\\(.)", r"\1", key[group])}
            yield key.span(group)

    def take_urls(self) -> None:
        """Take the passwords of URLs, anywhere in the text."""
        if "://" not in self._text:
            return
        for start, end in (*_url_passwords(self._text), *_query_passwords(self._text)):
            self._values.add(unquote(self._text[start:end]))
            self._add(start, end)

    def _add(self, start: int, end: int) -> None:
        self._ranges.append((start, end))
        self._values.add(self._text[start:end])


def _url_passwords(text: str) -> Iterator[tuple[int, int]]:
    """Of a database up to the last @, for its password may hold any sign; else up to the first."""
    done = 0
    for url in _URL.finditer(text):
        start, most = url.end(), url.end() + _LONGEST_SECRET + 1
        if url.start() < done or text.find("@", start + 1, most) < 0:
            continue
        of_database = _DATABASE.search(text, max(0, url.start() - 10), url.start())
        found = (_ENDS_A_URL if of_database else _ENDS_A_PASSWORD).search(text, start, most)
        stop = found.start() if found else most
        end = text.rfind("@", start + 1, stop) if of_database else stop
        if end > start and text[end : end + 1] == "@":
            done = end
            yield start, end


def _query_passwords(text: str) -> Iterator[tuple[int, int]]:
    return (found.span(1) for found in _OF_A_QUERY.finditer(text))


def _repeated(text: str, values: frozenset[str]) -> Iterable[tuple[int, int]]:
    """Where a secret is said again, in a comment or as data."""
    long = sorted((value for value in values if len(value) >= _TELLING), key=len, reverse=True)
    if not long or len(long) > _MANY:
        return ()
    again = re.compile("|".join(map(re.escape, long)))
    return (found.span() for found in again.finditer(text))


def _may_hold_some(text: str) -> bool:
    return any(
        any(mark in part for mark in _MARKS)
        or (("create" in part or "alter" in part) and _ROLE_MARK.search(part))
        for part in lowered_parts(text)
    )


def _pieces(connection: str) -> Iterable[str]:
    """The parts of a connection string that libpq may quote where it cannot read it."""
    connection = connection[:_LONGEST]
    rest = _KEY.sub(lambda found: f" {found[1] or found[2]} ", _PLAIN.sub(" ", connection))
    return (piece for piece in _CUT.split(rest) if not _TELLS_NOTHING.match(piece))


def _merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return tuple(merged)
