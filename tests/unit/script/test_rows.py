"""The rows of a large INSERT are read in blocks, with the result of reading token by token."""

from __future__ import annotations

import random
from hashlib import sha256

import pytest

from rung.errors import ScriptError
from rung.script import Dialect, Statement, TokenKind, checksum, read, rows
from rung.script.checksum import said
from rung.script.directives import is_declaration
from rung.script.postgres import lexer
from rung.script.sqlite import lexer as sqlite_lexer

PIECES = (
    *(",", "(", ")", "(1, 'a'), ", "(-1,NULL),", "1", "-1", "2.5", "'a'", "'it''s'", "'a\\b'"),
    *("null", "NULL", "true", "Null", "now()", "'x'::text", "-- c\n", "-- rung: x\n", " ", "\n"),
    *("\r\n", "'é\r\n'", "$$a;$$", "--1\n", "1e5", "e'\\''", "- 1", "1-1", "'a'\n'b'", "/* ' */"),
    *("\v", "x'ab'", "[a]", "-", "0x1", "1.", ".5"),
    *("x", "X", '"X"', "||", "::", "; INSERT INTO t VALUES ", ";", "'';", "1_0", "+-", "u&'a'"),
)


def _in_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(lexer, "_AT_ONCE", 8)
    monkeypatch.setattr(sqlite_lexer, "_AT_ONCE", 8)
    monkeypatch.setattr(rows, "_FEW", 1)
    monkeypatch.setattr(rows, "_BLOCK", block)


def _token_by_token(text: str, dialect: Dialect) -> tuple[str, list[Statement]] | None:
    """The checksum and the statements without blocks; None where the text cannot be read."""
    try:
        script = read(text, dialect)
    except ScriptError:
        return None
    digest = sha256()
    for token in script.tokens:
        if token.kind is not TokenKind.DIRECTIVE or not is_declaration(text, token):
            part = said(text, token)
            digest.update(f"{len(part)} {part}".encode())
    return digest.hexdigest(), list(script.statements)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("block", [5, 17, 64, 1 << 16])
def test_blocks_change_nothing(
    monkeypatch: pytest.MonkeyPatch, block: int, dialect: Dialect
) -> None:
    """Of texts put together at random, statements and checksum are the same."""
    chosen = random.Random(block)
    texts = ["INSERT INTO t VALUES " + "".join(chosen.choices(PIECES, k=60)) for _ in range(120)]
    expected = [_token_by_token(text, dialect) for text in texts]
    _in_blocks(monkeypatch, block)
    readable = [(text, known) for text, known in zip(texts, expected, strict=True) if known]

    assert len(readable) > 20
    for text, known in readable:
        script = read(text, dialect)
        assert (checksum(script), list(script.statements)) == known, text


@pytest.mark.parametrize("dialect", Dialect)
def test_rows_are_read_in_blocks(dialect: Dialect) -> None:
    """Of many rows all but the first tokens are."""
    script = read("INSERT INTO t VALUES (1, 'a')" + ", (-2, NULL)" * 10_000, dialect)
    in_blocks = [part for part in script.parts_and_rows() if isinstance(part, list)]

    assert sum(map(len, in_blocks)) > 0.9 * len(script.tokens)


@pytest.mark.parametrize(
    ("before", "run", "expected"),
    [(1, "()", 1), (0, ")(", 1), (2, ")))((", 2), (0, "(" * 20 + ")" * 21, 0), (3, "", 3)],
)
def test_the_depth_behind_a_run(before: int, run: str, expected: int) -> None:
    """A parenthesis that closes none does not count."""
    assert rows.depth_after(before, [*run, ",", "'('"]) == expected
