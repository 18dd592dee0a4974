"""
What a script is made of, as values. `read` makes them; nothing here looks at text.

Offsets count characters of the script's text from 0, lines count from 1.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from rung.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    """
    A stretch of SQL text; white space and comments are between tokens, not tokens.

    A tuple, because a script has tens of thousands and a dataclass takes twice the time.
    """

    kind: TokenKind
    start: int
    end: int


class Control(Enum):
    """What a statement does to the transaction it stands in."""

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


@dataclass(frozen=True, slots=True)
class Statement:
    """
    One statement of a script.

    `start` is its first token's offset and `end` is the offset behind its last token, the
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
    """It may leave the session changed behind it: SET, temp objects, PREPARE, DO, …"""
    may_refuse: bool = False
    """It may commit inside, or refuse a transaction for a reason only the database knows."""
    session_only: bool = False
    """It changes the session and nothing else: where it ran, no trace stays in the database."""


class Cut(NamedTuple):
    """What a dialect cuts a text into."""

    statements: Sequence[Statement]
    tokens: Sequence[Token]
    directives: Sequence[Token]
    """Apart from the other tokens; each ascending."""
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


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text with its statements, and how it can be run."""

    text: str
    statements: tuple[Statement, ...]
    tokens: tuple[Token, ...]
    mode: Mode
    reason: str
    """Why it has that mode, in a sentence for people."""
    units: tuple[Unit, ...]
    """For UNITS what commits together, in order; one unit for the other modes, none if empty."""
    dialect: Dialect = Dialect.POSTGRES
    """The SQL that it was read as."""
    passed_over: tuple[tuple[int, int], ...] = ()
    """Ranges of the text that are not sent: pg_dump's lines for psql, between statements."""

    @property
    def touches_session(self) -> bool:
        """True where some statement may leave the session changed behind it."""
        return any(statement.touches_session for statement in self.statements)

    def tokens_of(self, statement: Statement) -> tuple[Token, ...]:
        """The tokens of one of its statements."""
        first, last = (
            bisect_left(self.tokens, place, key=attrgetter("start"))
            for place in (statement.start, statement.end)
        )
        return self.tokens[first:last]
