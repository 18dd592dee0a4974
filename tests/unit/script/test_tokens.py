"""A script's tokens are kept in nine bytes each, and look like any sequence."""

from __future__ import annotations

import sys

from rung.script import Dialect, Token, TokenKind, read
from rung.script.model import Tokens, TokenWalk

WORD, SIGN = TokenKind.WORD, TokenKind.OPERATOR
THREE = [Token(WORD, 0, 1), Token(SIGN, 1, 2), Token(WORD, 3, 9)]


def test_a_sequence() -> None:
    """By number, by slice, from the end, and in order."""
    tokens = Tokens(THREE)

    assert list(tokens) == THREE
    assert (len(tokens), tokens[1], tokens[-1]) == (3, THREE[1], THREE[2])
    assert list(tokens[1:]) == THREE[1:]
    assert tokens == Tokens(THREE) != Tokens(THREE[:2])


def test_places() -> None:
    """Found by where they begin."""
    walk = TokenWalk(read("a+ bcdefg"))

    assert [Tokens(THREE).at(place) for place in (0, 1, 2, 9)] == [0, 1, 2, 3]
    assert [walk.before(place) for place in (1, 2, 2, 9)] == [THREE[1]] * 3 + [THREE[2]]
    assert TokenWalk(read("")).before(2) is None


def test_merging() -> None:
    """Others come to stand where they belong."""
    others = [THREE[0], THREE[2]]

    assert list(Tokens(THREE[1:2]).merged(others)) == THREE
    assert list(Tokens().merged(THREE)) == THREE


def test_a_large_file_is_small() -> None:
    """Some hundred bytes for a statement, whose words are kept once."""
    script = read("INSERT INTO d VALUES (1, 'a');\n" * 2000, Dialect.POSTGRES)

    kept = sum(map(sys.getsizeof, (script.tokens.kinds, script.tokens.starts, script.tokens.ends)))
    assert kept < 16 * len(script.tokens)
    assert len({id(one.words) for one in script.statements}) == 1
