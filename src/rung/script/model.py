"""
What a script is made of, as values. `read` makes them; nothing here looks at text.

Offsets count characters of the script's text from 0, lines count from 1.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from operator import eq, itemgetter
from typing import Any, NamedTuple, Protocol, overload

from rung.script.dialect import Dialect


class TokenKind(Enum):
    """What a stretch of SQL text is."""

    WORD = "word"
    """A key word or an unquoted identifier."""
    QUOTED_NAME = "quoted name"
    """A "quoted" or U&"" identifier, for SQLite `name` and [name] too, quotes included."""
    STRING = "string"
    """'…', E'…', B'…', X'…', N'…', U&'…' or $tag$…$tag$, quotes and prefix included."""
    NUMBER = "number"
    PARAMETER = "parameter"
    """$1 and the like; for SQLite ?1, :a, @a and $a."""
    OPERATOR = "operator"
    """An operator or one of ( ) [ ] , ; : . in one token each."""
    COPY_DATA = "copy data"
    """The lines after COPY … FROM STDIN; up to and with the line of backslash-dot."""
    DIRECTIVE = "directive"
    """A line comment that begins `-- rung:`; other comments are no tokens."""


class Token(NamedTuple):
    """A stretch of SQL text; white space and comments are between tokens, not tokens."""

    kind: TokenKind
    start: int
    end: int


KINDS = tuple(TokenKind)
NUMBER_OF: dict[TokenKind, int] = {kind: number for number, kind in enumerate(KINDS)}
"""How `Tokens` keeps a kind."""


class Tokens(Sequence[Token]):
    """
    The tokens of a text, ascending.

    Nine bytes for each, because a file of 10 MB has a million; they are made when asked for.
    """

    __slots__ = ("ends", "kinds", "starts")

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self.kinds, self.starts, self.ends = bytearray(), array("I"), array("I")
        for token in tokens:
            self.append(token)

    def append(self, token: Token) -> None:
        """Add one at the end."""
        self.kinds.append(NUMBER_OF[token.kind])
        self.starts.append(token.start)
        self.ends.append(token.end)

    def at(self, place: int) -> int:
        """How many of them begin before a place in the text."""
        return bisect_left(self.starts, place)

    def merged(self, others: Iterable[Token]) -> Tokens:
        """The same with others, ascending too, in their places."""
        whole, done = Tokens(), 0
        for one in others:
            here = self.at(one.start)
            whole.extend(self, done, here)
            whole.append(one)
            done = here
        whole.extend(self, done, len(self))
        return whole

    def extend(self, other: Tokens, first: int, last: int) -> None:
        """Add a range of other tokens, which follow these."""
        self.kinds += other.kinds[first:last]
        self.starts += other.starts[first:last]
        self.ends += other.ends[first:last]

    def __len__(self) -> int:
        return len(self.kinds)

    def __iter__(self) -> Iterator[Token]:
        new = tuple.__new__
        for kind, start, end in zip(self.kinds, self.starts, self.ends, strict=True):
            yield new(Token, (KINDS[kind], start, end))

    @overload
    def __getitem__(self, index: int) -> Token: ...
    @overload
    def __getitem__(self, index: slice) -> Tokens: ...
    def __getitem__(self, index: int | slice) -> Token | Tokens:
        if isinstance(index, slice):
            part = Tokens.__new__(Tokens)
            part.kinds, part.starts = self.kinds[index], self.starts[index]
            part.ends = self.ends[index]
            return part
        return Token(KINDS[self.kinds[index]], self.starts[index], self.ends[index])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tokens):
            return NotImplemented
        return (self.kinds, self.starts, self.ends) == (other.kinds, other.starts, other.ends)

    def __hash__(self) -> int:
        return hash(bytes(self.kinds))


class Control(Enum):
    """What a statement does to its transaction."""

    BEGIN = "begin"
    """BEGIN, START TRANSACTION."""
    COMMIT = "commit"
    """COMMIT, END."""
    ROLLBACK = "rollback"
    """ROLLBACK, ABORT; not ROLLBACK TO."""
    COMMIT_CHAIN = "commit and chain"
    ROLLBACK_CHAIN = "rollback and chain"
    PREPARE = "prepare transaction"
    """Ends the block as COMMIT does."""
    RESOLVE_PREPARED = "commit or rollback prepared"
    """COMMIT PREPARED, ROLLBACK PREPARED: refused by PostgreSQL inside a block."""


class Statement(NamedTuple):
    """
    One statement of a script.

    `start` is its first token's offset and `end` is the offset after its last token, the
    closing semicolon left out. `copy_data` is the range of the data that follows a COPY …
    FROM STDIN, the closing backslash-dot line left out; None for all other statements.
    """

    number: int
    """1 for the first of the script; empty statements are not counted."""
    start: int
    end: int
    line: int
    words: tuple[str, ...]
    """Its leading words in upper case, at most eight, as far as they are unquoted words."""
    control: Control | None = None
    copy_data: tuple[int, int] | None = None
    needs_no_transaction: str = ""
    """Why the database refuses it inside a transaction, in a few words; else empty."""
    concurrent_build: bool = False
    """CREATE/DROP INDEX, REINDEX, DETACH PARTITION … CONCURRENTLY: waits for old snapshots."""
    touches_session: bool = False
    """It may leave the session changed: SET, temporary objects, PREPARE, DO, …"""
    may_refuse: bool = False
    """It may commit inside, or refuse a transaction for a reason only the database knows."""
    session_only: bool = False
    """It changes the session and nothing else: where it ran, no trace stays in the database."""


class Statements(Sequence[Statement]):
    """
    The statements of a text, or a range of them, numbered in order.

    Sixteen bytes for each, and what many have in common once, because a file of 10 MB has a hundred
    thousand; they are made when asked for. A slice has no step.
    """

    __slots__ = ("first", "kinds", "places", "rows")

    def __init__(self, statements: Iterable[Statement] = ()) -> None:
        self.first = 1
        self.places = (array("I"), array("I"), array("I"))
        self.rows = array("I")
        known: dict[tuple[Any, ...], int] = {}
        starts, ends, lines = self.places
        for one in statements:
            starts.append(one.start)
            ends.append(one.end)
            lines.append(one.line)
            self.rows.append(known.setdefault(one[_OF_KIND:], len(known)))
        self.kinds: tuple[tuple[Any, ...], ...] = tuple(known)

    @property
    def touch_session(self) -> bool:
        """True where some of them may leave the session changed."""
        return any(self.kinds[row][_TOUCHES] for row in set(self.rows))

    @property
    def copy_data(self) -> bool:
        """True where some of them have data of a COPY."""
        return any(self.kinds[row][_COPIES] for row in set(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Statement]:
        new, kinds = tuple.__new__, self.kinds
        for number, (start, end, line, row) in enumerate(
            zip(*self.places, self.rows, strict=True), self.first
        ):
            yield new(Statement, (number, start, end, line, *kinds[row]))

    @overload
    def __getitem__(self, index: int) -> Statement: ...
    @overload
    def __getitem__(self, index: slice) -> Statements: ...
    def __getitem__(self, index: int | slice) -> Statement | Statements:
        starts, ends, lines = self.places
        if isinstance(index, slice):
            part = Statements.__new__(Statements)
            part.first = self.first + range(len(self))[index].start
            part.places = (starts[index], ends[index], lines[index])
            part.rows, part.kinds = self.rows[index], self.kinds
            return part
        place = (starts[index], ends[index], lines[index])
        number = self.first + (index if index >= 0 else index + len(self))
        return tuple.__new__(Statement, (number, *place, *self.kinds[self.rows[index]]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(self.rows.tobytes())


_OF_KIND = Statement._fields.index("words")
"""From there on a statement's fields may be what others have too."""
_TOUCHES = Statement._fields.index("touches_session") - _OF_KIND
_COPIES = Statement._fields.index("copy_data") - _OF_KIND


class Cut(NamedTuple):
    """What a dialect cuts a text into."""

    statements: Statements
    directives: Sequence[Token]
    """Ascending."""
    passed_over: Sequence[tuple[int, int]] = ()
    """Ranges of the text that are not sent, between statements, ascending."""


class Mode(Enum):
    """How a script can be run."""

    TRANSACTIONAL = "transactional"
    """All of it in a transaction of ours."""
    OWN_TRANSACTION = "own transaction"
    """One BEGIN and one COMMIT of its own enclose all of it, but what changes the session alone."""
    UNITS = "unit by unit"
    """Several transactions of its own, or statements that refuse a transaction."""


@dataclass(frozen=True, slots=True)
class Unit:
    """
    What commits together: statements `first` to `last` (numbers, both included).

    `transaction` tells who opens it: "ours" (a transaction of ours around it), "own" (the
    file's own BEGIN … COMMIT, both within the unit) or "none" (one statement, sent alone).
    """

    first: int
    last: int
    transaction: str


class TokenWalk:
    """Walks over the tokens of a script beside places that ascend, so that each is read once."""

    def __init__(self, script: Script) -> None:
        self._left = (token for part in script.parts() for token in part)
        self._next = next(self._left, None)
        self._last: Token | None = None

    def before(self, place: int) -> Token | None:
        """Give the last token that begins at a place or before it."""
        while self._next is not None and self._next.start <= place:
            self._last, self._next = self._next, next(self._left, None)
        return self._last


_COPY_END = "\\."


class Scan(Protocol):
    """Gives the tokens of a range of a text in parts; those of rows as they are written."""

    def __call__(
        self, text: str, start: int, end: int, *, rows: bool = False
    ) -> Iterator[Tokens] | Iterator[Tokens | list[str]]:
        """Give them in order, without directives."""


def joined(parts: Iterable[Tokens]) -> Tokens:
    """Give several parts as one."""
    whole = Tokens()
    for part in parts:
        whole.extend(part, 0, len(part))
    return whole


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text with its statements, and how it can be run."""

    text: str
    statements: Statements
    directives: tuple[Token, ...]
    """The line comments that speak to Rung, ascending."""
    mode: Mode
    reason: str
    """Why it has that mode, in a sentence for people."""
    units: tuple[Unit, ...]
    """For UNITS what commits together, in order; one unit for the other modes, none if empty."""
    dialect: Dialect = Dialect.POSTGRES
    """The SQL that it was read as."""
    passed_over: tuple[tuple[int, int], ...] = ()
    """Ranges of the text that are not sent: pg_dump's lines for psql, between statements."""
    scan: Scan = field(kw_only=True, compare=False, repr=False)
    """
    Gives the tokens of a range in parts. They are not kept: of 50 MB of rows they take 200 MB, and
    reading a range again costs what walking over its tokens costs.
    """

    @property
    def tokens(self) -> Tokens:
        """All tokens, directives among them. They are read at each call; see `parts`."""
        return joined(self.parts())

    def parts(self) -> Iterator[Tokens]:
        """Read the tokens of the script from its beginning, some thousand at a time."""
        return (part for part in self.parts_and_rows(rows=False) if isinstance(part, Tokens))

    def parts_and_rows(self, *, rows: bool = True) -> Iterator[Tokens | list[str]]:
        """Read the same, but tokens of rows, where there are very many, as they are written."""
        at = 0
        for start, end in self._copy_ranges():
            yield from self._with_directives(at, start, rows=rows)
            yield Tokens((Token(TokenKind.COPY_DATA, start, end),))
            at = end
        yield from self._with_directives(at, len(self.text), rows=rows)

    def between(self, start: int, end: int) -> Iterator[Token]:
        """Read the tokens between two statements, without directives."""
        for part in self.scan(self.text, start, end):
            if isinstance(part, Tokens):
                yield from part

    def copy_end(self, statement: Statement) -> int:
        """The end of a COPY's data, with its closing line of backslash-dot."""
        end = statement.copy_data[1] if statement.copy_data else statement.end
        return end + len(_COPY_END) if self.text.startswith(_COPY_END, end) else end

    def _copy_ranges(self) -> Iterator[tuple[int, int]]:
        if not self.statements.copy_data:
            return
        for one in self.statements:
            if one.copy_data and self.copy_end(one) > one.copy_data[0]:
                yield one.copy_data[0], self.copy_end(one)

    def _with_directives(
        self, start: int, end: int, *, rows: bool = False
    ) -> Iterator[Tokens | list[str]]:
        left = [one for one in self.directives if start <= one.start < end]
        for part in self.scan(self.text, start, end, rows=rows):
            if not isinstance(part, Tokens):  # rows have no directive among them
                yield part
                continue
            here = bisect_left(left, part.starts[-1], key=itemgetter(1))
            yield part.merged(left[:here]) if here else part
            del left[:here]
        if left:
            yield Tokens(left)

    @property
    def touches_session(self) -> bool:
        """Whether some statement may leave the session changed."""
        return self.statements.touch_session

    def tokens_of(self, statement: Statement) -> Tokens:
        """The tokens of one of its statements."""
        parts = self._with_directives(statement.start, statement.end)
        return joined(part for part in parts if isinstance(part, Tokens))
