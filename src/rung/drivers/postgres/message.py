"""
Puts a message together from the file's SQL and statements of ours, and reads errors back.

Pure. A message is a row of pieces; each knows how many statements it holds and, where it is
text of the file, where in the file it begins. So the server's character position and the
number of completed statements can both be turned into a place in the file.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rung.script import Control, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.transaction import ServerNotice
    from rung.script import Script, Statement


_LARGE = 1 << 20
"""Characters of a record that is worth a round trip."""


@dataclass(frozen=True, slots=True)
class Piece:
    """
    A stretch of a message.

    `label` names what of ours it is; empty for the file's text, which begins in the file at
    `file_start` and whose first statement is the file's number `first`.
    """

    sql: str
    statements: int
    label: str = ""
    file_start: int = 0
    first: int = 0
    own: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """The statements of ours, one by one."""


CLOSING = Piece("\n;\n", 0, "closing")
"""Follows the file's text: ends a comment and a statement that the file left open."""


def ours(label: str, *statements: Sql) -> Piece:
    """Statements of ours, each closed by a semicolon."""
    parts = (part for sql in statements for part in (sql, ";\n"))
    return Piece("".join(parts), len(statements), label, own=statements)


@dataclass(frozen=True, slots=True)
class Message:
    """The pieces in order, the data for each COPY … FROM STDIN among them, and their script."""

    pieces: tuple[Piece, ...]
    copy_data: tuple[str, ...] = ()
    script: Script | None = None
    waits_as_file: bool = False
    """Whether a write of ours keeps a file's limit, and may be cancelled as a file is."""

    @property
    def sql(self) -> str:
        """The text as it is sent."""
        return "".join(piece.sql for piece in self.pieces)

    @property
    def parts(self) -> tuple[str, ...]:
        """The same, not put together: it may be large."""
        return tuple(piece.sql for piece in self.pieces)

    def split(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """
        Give the parts that are sent first, and those of a second message, if there is one.

        A large record holds the file's text once more. After the file it waits until that is
        sent, for the library keeps two copies of what it sends. Only inside a transaction that a
        BEGIN has opened: one that is the message's own ends with the message, and would commit
        the file without its record.
        """
        of_file = False
        for at, piece in enumerate(self.pieces):
            if of_file and piece.label == "record" and len(piece.sql) > _LARGE:
                return (self.parts[:at], self.parts[at:]) if self._is_in_block else (self.parts, ())
            of_file = of_file or not piece.label
        return self.parts, ()

    @property
    def _is_in_block(self) -> bool:
        """Whether a BEGIN, ours or the file's, opens the transaction that the file runs in."""
        if self.script is None or self.script.mode is Mode.UNITS:
            return False
        if self.script.mode is Mode.TRANSACTIONAL:
            return True
        return any(one.control is Control.BEGIN for one in self.script.statements)

    def running(self, done: int) -> Piece:
        """The piece whose statement runs after `done` statements are complete."""
        for piece in self.pieces:
            if done < piece.statements:
                return piece
            done -= piece.statements
        return self.pieces[-1]

    def statement_running(self, done: int) -> int | None:
        """The file's number of the statement that runs then; None for one of ours."""
        for piece in self.pieces:
            if done < piece.statements:
                return None if piece.label else piece.first + done
            done -= piece.statements
        return None

    def is_ours(self, done: int) -> bool:
        """Whether the statement that runs after `done` complete ones is ours."""
        return self.statement_running(done) is None

    def words(self, number: int | None) -> tuple[str, ...]:
        """The leading words of one of the file's statements; none for one of ours."""
        if self.script is None or number is None:
            return ()
        return self.script.statements[number - 1].words

    def file_done(self, done: int) -> int:
        """How many of the completed statements are the file's."""
        count = 0
        for piece in self.pieces:
            taken = min(done, piece.statements)
            done -= taken
            count += 0 if piece.label else taken
        return count

    def file_offset(self, position: int) -> int | None:
        """
        The place in the file of a character of the message; None for text of ours.

        The semicolon with which we close the file stands for the file's end.
        """
        end = None
        for piece in self.pieces:
            if position < len(piece.sql):
                at_end = end if piece.label == CLOSING.label else None
                return at_end if piece.label else piece.file_start + position
            position -= len(piece.sql)
            end = piece.file_start + len(piece.sql.rstrip())
        return None


def inner_offset(script: Script, number: int | None, inner: tuple[str, int]) -> int | None:
    """
    The place in the file of a character of SQL inside one of its statements.

    None where that SQL does not stand there byte for byte, as in a string with escapes, or
    stands there twice: no place is better than a wrong one.
    """
    if number is None:
        return None
    statement, (query, position) = script.statements[number - 1], inner
    text = script.text[statement.start : statement.end]
    at = text.find(query)
    if at < 0 or text.find(query, at + 1) >= 0:
        return None
    beside = text[at - 1 : at] + query[:1], query[-1:] + text[at + len(query) :][:1]
    if any(len(pair) > 1 and pair.isidentifier() for pair in beside):  # a part of a longer word
        return None
    return statement.start + at + position


def file_pieces(script: Script, first: int, last: int) -> Iterator[Piece]:
    """
    The file's statements `first` to `last` as they are sent: byte for byte, COPY data cut out.

    Where they are all of the file, so is the text, comments and white space included. The
    lines that pg_dump writes for psql are cut out too; behind the last statement, with what
    follows, which is no SQL.
    """
    statements = script.statements[first - 1 : last]
    whole = len(statements) == len(script.statements)
    start = 0 if whole else statements[0].start
    end = len(script.text) if whole else _end(script, statements[-1])
    behind = (out for out, _ in script.passed_over if statements and out >= statements[-1].end)
    end = min(end, *behind, end)
    copies = (_copy_range(script, one) for one in statements if one.copy_data is not None)
    number = first
    for out_start, out_end in sorted((*copies, *script.passed_over)):
        if not start <= out_start < end:
            continue
        held = sum(1 for one in statements[number - first :] if one.start < out_start)
        yield Piece(script.text[start:out_start], held, "", start, number)
        start, number = out_end, number + held
    yield Piece(script.text[start:end], last + 1 - number, "", start, number)


def cut(piece: Piece, script: Script, number: int) -> tuple[Piece, Piece]:
    """A piece of the file in two, behind its statement `number`, which is not its last."""
    start, done = script.statements[number].start, number + 1 - piece.first
    at = start - piece.file_start
    return (
        replace(piece, sql=piece.sql[:at], statements=done),
        Piece(piece.sql[at:], piece.statements - done, "", start, number + 1),
    )


def copy_blocks(script: Script, first: int, last: int) -> tuple[str, ...]:
    """The data of each COPY … FROM STDIN among those statements, in order."""
    ranges = (statement.copy_data for statement in script.statements[first - 1 : last])
    return tuple(script.text[found[0] : found[1]] for found in ranges if found is not None)


def _end(script: Script, last: Statement) -> int:
    return _copy_range(script, last)[1] if last.copy_data is not None else last.end


def _copy_range(script: Script, statement: Statement) -> tuple[int, int]:
    """The range of the data with its closing line, which only psql reads."""
    assert statement.copy_data is not None
    return statement.copy_data[0], script.copy_end(statement)


_MOST = 100
_WARNING = "WARNING"


class Notices:
    """
    The server's notices of one reply: of very many the first, and a count of the others.

    Every warning is counted by its SQLSTATE, kept or not.
    """

    def __init__(self) -> None:
        self._count = 0
        self._kept: list[tuple[int, ServerNotice]] = []
        self._of: dict[bool, int] = {True: 0, False: 0}
        self._warnings: Counter[str] = Counter()
        self._last_warning: dict[str, str] = {}

    def add(self, severity: str, sqlstate: str, message: str) -> None:
        """Count a notice, and keep it if it is among the first of its kind."""
        from rung.drivers.transaction import ServerNotice

        self._count += 1
        warns = severity == _WARNING
        if warns:
            self._warnings[sqlstate] += 1
            self._last_warning[sqlstate] = message
        if self._of[warns] >= _MOST and not (warns and self._warnings[sqlstate] == 1):
            return
        self._of[warns] += 1
        self._kept.append((self._count, ServerNotice(severity, sqlstate, message)))

    def warnings(self, sqlstate: str) -> int:
        """Return how many warnings of a SQLSTATE came, also of those that are not kept."""
        return self._warnings[sqlstate]

    def last_warning(self, sqlstate: str) -> str:
        """Return the message of the last warning of a SQLSTATE; empty if none came."""
        return self._last_warning.get(sqlstate, "")

    def shown(self) -> list[ServerNotice]:
        """Return all in their order; of more than a hundred the first, warnings first."""
        from rung.drivers.transaction import ServerNotice

        if self._count <= _MOST:
            return [one for _, one in self._kept]
        first = sorted(self._kept, key=lambda kept: (kept[1].severity != _WARNING, kept[0]))
        kept = [one for _, one in first[: max(_MOST, self._of[True])]]
        left = f"and {self._count - len(kept)} more notices, which are not kept"
        return [*kept, ServerNotice("NOTICE", "", left)]
