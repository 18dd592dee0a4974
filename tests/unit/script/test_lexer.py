"""Where tokens begin and end, rule by rule."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from rung.errors import UnterminatedToken
from rung.script import Dialect, TokenKind, read
from rung.script.postgres import lexer, splitter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

parser = import_module("re._parser")


def tokens(text: str, dialect: Dialect = Dialect.POSTGRES) -> list[str]:
    """The texts of a script's tokens."""
    script = read(text, dialect)
    return [text[token.start : token.end] for token in script.tokens]


def kinds(text: str) -> list[TokenKind]:
    """The kinds of a script's tokens."""
    return [token.kind for token in read(text).tokens]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'it''s; fine'", ["'it''s; fine'"]),
        (r"'a\'", [r"'a\'"]),
        (r"E'it\'s; \\'", [r"E'it\'s; \\'"]),
        (r"e'a''b'", [r"e'a''b'"]),
        (r"U&'d\0061;' u&'x'", [r"U&'d\0061;'", "u&'x'"]),
        ("B'01' x'1F' N'a;'", ["B'01'", "x'1F'", "N'a;'"]),
        ("'a'\n'b;'", ["'a'", "'b;'"]),
        ("abe'x'", ["abe", "'x'"]),
        ("u&x", ["u", "&", "x"]),
    ],
)
def test_strings_end_at_their_own_quote(text: str, expected: list[str]) -> None:
    """A string ends at the quote that its kind of string ends with."""
    assert expected == tokens(text)


@pytest.mark.parametrize("gap", ["\n", " \r\n\t", " -- note\n", "\n-- note\n  "])
def test_an_escape_string_goes_on_by_its_rules(gap: str) -> None:
    """Behind a line end E'' goes on with escapes; comments to the line end may stand between."""
    text = f"E'a'{gap}'b\\';' ; c"

    assert tokens(text) == ["E'a'", "'b\\';'", ";", "c"]


def test_a_block_comment_ends_an_escape_string() -> None:
    """Behind a block comment, or on the same line, the next string is a plain one."""
    assert tokens("E'a' /* \n */ 'b\\';") == ["E'a'", "'b\\'", ";"]
    assert tokens("E'a' 'b\\';") == ["E'a'", "'b\\'", ";"]


def test_a_bit_string_has_no_doubled_quotes() -> None:
    """Neither at first nor where it goes on: the next quote begins another string."""
    assert tokens("B'0''1'") == ["B'0'", "'1'"]
    assert tokens("B'0'\n'1''2'") == ["B'0'", "'1'", "'2'"]
    assert tokens("U&'0'\n'1''2'") == ["U&'0'", "'1''2'"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"'a\';'", [r"'a\';'"]),
        (r"N'a\';'", [r"N'a\';'"]),
        ("'a'\n'b\\';'", ["'a'", "'b\\';'"]),
        (r"B'a\' x", [r"B'a\'", "x"]),
        (r"U&'a\' x", [r"U&'a\'", "x"]),
        ("U&'a'\n'b\\' x", ["U&'a'", "'b\\'", "x"]),
    ],
)
def test_backslashes_without_standard_conforming_strings(text: str, expected: list[str]) -> None:
    """With the setting off, plain strings have escapes; bit and Unicode strings have none."""
    assert expected == tokens(text, Dialect.POSTGRES_ESCAPES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a;""b"', ['"a;""b"']),
        ('U&"d;" a', ['U&"d;"', "a"]),
        ('a."end"', ["a", ".", '"end"']),
    ],
)
def test_quoted_names(text: str, expected: list[str]) -> None:
    """A quoted name holds anything, its quote doubled."""
    assert expected == tokens(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$$a;'b$$", ["$$a;'b$$"]),
        ("$tag$ $$;$$ $tag$", ["$tag$ $$;$$ $tag$"]),
        ("$é1$;$é1$", ["$é1$;$é1$"]),
        ("$a$;$$a$", ["$a$;$$a$"]),
        ("a$b$c;b$", ["a$b$c", ";", "b$"]),
        ("$1 $2", ["$1", "$2"]),
        ("$1$a$;$a$", ["$1", "$a$;$a$"]),
        ("$A$;$a$;$A$", ["$A$;$a$;$A$"]),
    ],
)
def test_dollar_quotes(text: str, expected: list[str]) -> None:
    """A dollar quote ends at its own tag; a tag begins no digit and stands in no name."""
    assert expected == tokens(text)


@pytest.mark.parametrize(
    "text",
    [
        "a -- ; '\nb",
        "a -- ;\rb",
        "a /* ; ' */ b",
        "a /* /* ; */ ' */ b",
        "a/**/b",
        "a /*/ ; */ b",
        "a /* **/ b",
    ],
)
def test_comments_are_no_tokens(text: str) -> None:
    """Line comments end with their line, block comments nest, and neither is a token."""
    assert tokens(text) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=-1", ["a", "=", "-", "1"]),
        ("a @- 1", ["a", "@-", "1"]),
        ("a+-- x\nb", ["a", "+", "b"]),
        ("a*/**/b", ["a", "*", "b"]),
        ("a->>'b'", ["a", "->>", "'b'"]),
        ("a::int:=b", ["a", "::", "int", ":=", "b"]),
        ("a[1:2]", ["a", "[", "1", ":", "2", "]"]),
        ("+-+", ["+", "-", "+"]),
    ],
)
def test_operators(text: str, expected: list[str]) -> None:
    """An operator ends where a comment begins, and rarely with a sign."""
    assert expected == tokens(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5e-3", ["1.5e-3"]),
        ("1_000 0xFF 0o17 0b1_0", ["1_000", "0xFF", "0o17", "0b1_0"]),
        ("1..2", ["1", "..", "2"]),
        (".5 1.", [".5", "1."]),
        ("1e", ["1", "e"]),
        ("a.5", ["a", ".5"]),
    ],
)
def test_numbers(text: str, expected: list[str]) -> None:
    """Numbers with fractions, exponents, bases and underscores are one token."""
    assert expected == tokens(text)


def test_every_other_letter_is_a_letter() -> None:
    """A character outside ASCII is part of a name, whatever it is."""
    assert tokens("größe = \u00a0x") == ["größe", "=", "\u00a0x"]


def test_kinds() -> None:
    """Each token knows what it is."""
    expected = [
        TokenKind.WORD,
        TokenKind.QUOTED_NAME,
        TokenKind.STRING,
        TokenKind.STRING,
        TokenKind.NUMBER,
        TokenKind.PARAMETER,
        TokenKind.OPERATOR,
        TokenKind.DIRECTIVE,
    ]
    assert expected == kinds("a \"b\" 'c' $$d$$ 1 $1 ; -- rung: x")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("\n'a", "string"),
        ("\nE'a\\'", "string"),
        ("\nE'a' -- x", ""),
        ('\n"a', "quoted name"),
        ('\nU&"a', "quoted name"),
        ("\n$a$ $$", "dollar quote $a$"),
        ("\n/* /* */", "comment"),
        ("E'a'\n'b\\'", "string"),
    ],
)
def test_what_is_never_closed_is_refused(text: str, what: str) -> None:
    """An open quote or comment is refused with the line where it begins."""
    if not what:
        assert tokens(text) == ["E'a'"]
        return
    with pytest.raises(UnterminatedToken) as caught:
        read(text)

    expected = (f"the {what} that begins here is never closed", 2)
    assert expected == (caught.value.problem, caught.value.line)


def test_a_byte_order_mark_is_passed_over() -> None:
    """A byte order mark belongs to no token, and offsets count it."""
    assert tokens("\ufeffa") == ["a"]
    assert read("\ufeffa").statements[0].start == 1


def _operations(parsed: object) -> Iterator[str]:
    """The names of all operations in a parsed pattern, however deep."""
    if isinstance(parsed, (tuple, list, parser.SubPattern)):
        for part in parsed:
            yield from _operations(part)
    else:
        yield str(parsed)


@pytest.mark.parametrize("module", [lexer, splitter], ids=lambda module: module.__name__)
def test_patterns_that_every_python_understands(module: ModuleType) -> None:
    """Python 3.11.0 to 3.11.4 misreads possessive quantifiers on groups; there are none."""
    patterns = [value for value in vars(module).values() if isinstance(value, re.Pattern)]
    if module is lexer:
        patterns += [lexer._pattern(standard_conforming_strings=on) for on in (True, False)]

    found = {name for pattern in patterns for name in _operations(parser.parse(pattern.pattern))}
    assert patterns
    assert found & {"POSSESSIVE_REPEAT", "ATOMIC_GROUP"} == set()
