"""PostgreSQL's own scanner and parser (libpg_query) judge our reading."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rung.errors import UnterminatedToken
from rung.script import Token, TokenKind, read
from rung.script.postgres.lexer import Lexer

# Its type stubs are no valid Python, so it is kept from the type checker.
postgast = import_module("postgast")
COMMENTS = (275, 276)
LINE_END = re.compile(r"\s*[\n\r]\s*")
# The judge, unlike PostgreSQL (15 and 18 were asked), ends an E'' string at a line comment.
JUDGE_ERRS = re.compile(r"[eE]'[\s\S]*'\s*--[\s\S]*'")
CORPUS = [
    "SELECT 1; SELECT ';'; SELECT 'it''s; so'",
    r"""SELECT E'a\';b', '\'; SELECT U&'d\0061t;' , U&"x;" FROM t""",
    "SELECT 'a'\n';b' ; SELECT E'a'\n'\\';'",
    "DO $$ BEGIN PERFORM 1; END $$; DO $a$ $$;$$ $a$",
    "SELECT a$b$c FROM t; SELECT $1, $2",
    "/* a; /* b; */ c; */ SELECT 1 -- d;\n; SELECT 2 /* ; */",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); DELETE FROM b); SELECT 1",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE a WHEN 1 THEN 2 END; END; SELECT 1",
    "CREATE PROCEDURE p() BEGIN ATOMIC END; CREATE FUNCTION f() RETURNS int RETURN 1; SELECT 1",
    "CREATE FUNCTION f(begin int) RETURNS int BEGIN ATOMIC SELECT 1 end; SELECT 2 AS case; END",
    "SELECT t.end FROM t; SELECT 1 end; SELECT 2 AS case",
    "BEGIN; SAVEPOINT a; ROLLBACK TO a; COMMIT AND CHAIN; END",
    "SELECT 1.5e-3, 1_000, 0xFF, .5, a[1:2], b::int, c->>'d', e=-1, f @- 1",
    "SELECT a+-- b;\nc; SELECT d*/* e; */f",
    'SELECT "a;""b" AS "end" FROM "größe"; SELECT größe FROM ñ',
    ";;SELECT 1;;\r\n;SELECT 2;",
    "CREATE TABLE t (a int DEFAULT (1), b text CHECK (b <> ';')); COMMENT ON TABLE t IS 'a;b'",
    "CREATE SCHEMA s CREATE TABLE t (a int) CREATE VIEW v AS SELECT 1; SELECT 1",
    "CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); SELECT 1",
    "COPY t TO STDOUT; COPY (SELECT 1 FROM stdin) TO STDOUT; SELECT 1",
]
GAPS = ["", " ", "\n", "\r\n", "\t", " -- a; 'b\n", "/* a; */", "/* ' /* ; */ $$ */"]
STATEMENTS = [
    "SELECT 1",
    "SELECT 'a;b', E'c\\';d', $$e;f$$, $g$ $$;$$ $g$",
    "SELECT 'a'\n'b;c'",
    "SELECT E'a'\n '\\';'",
    'SELECT "a;b", U&"c;"',
    "SELECT a$b$c",
    "SELECT (1) /* ; */ + - 1",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2 end; END",
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC END",
    "DO $$BEGIN; END$$",
    "INSERT INTO größe VALUES (1, ';')",
    "COMMENT ON TABLE t IS 'it''s'",
]
# Pieces that make and break every lexical rule when strung together at random.
PIECES = [
    *("'", "''", '"', '""', "$", "$$", "$a$", "$1", "-", "--", "/*", "*/", "*", "/", "\\", "\\'"),
    *("E'", "e", "U&'", 'u&"', "B'", "x'", "&", ";", "(", ")", "[", "a", "é", "_", ".", "..", ","),
    *("1", "2.5", "1e", "e5", "0x1F", "\n", "\r", " ", "\t", "\f", "+", "=", "<", "@", "|", "::"),
]


def lexed(text: str) -> list[Token]:
    """A text's tokens, however its transactions pair."""
    lexer = Lexer(text)
    while not lexer.at_end:
        lexer.read()
    return list(lexer.tokens)


def judged(text: str) -> list[str]:
    """The tokens that PostgreSQL's scanner finds, comments left out."""
    raw = text.encode()
    found = postgast.scan(text).tokens
    return [raw[one.start : one.end].decode() for one in found if one.token not in COMMENTS]


def joined(text: str, tokens: list[Token]) -> list[str]:
    """Our tokens' texts, a string continued after a line end as one, as the judge has it."""
    ends: list[tuple[int, int]] = []
    for kind, start, end in tokens:
        first, last = ends[-1] if ends else (start, start)
        goes_on = (
            text[start] == "'"
            and text[last - 1 : last] == "'"
            and LINE_END.fullmatch(text, last, start)
        )
        if kind is TokenKind.STRING and goes_on:
            ends[-1] = (first, end)
        else:
            ends.append((start, end))
    return [text[start:end] for start, end in ends]


def statements(text: str) -> list[str]:
    """The texts of our statements, with their tokens alone."""
    return [" ".join(joined(one, lexed(one))) for one in split(text)]


def split(text: str) -> list[str]:
    """The texts of our statements."""
    return [text[one.start : one.end] for one in read(text).statements]


def parsed(text: str) -> list[str]:
    """The statements that PostgreSQL's parser finds, with their tokens alone."""
    return [" ".join(judged(one)) for one in postgast.split(text)]


@pytest.mark.parametrize("text", CORPUS)
def test_the_corpus_is_split_as_postgresql_does(text: str) -> None:
    """Hand-written scripts split into the statements that PostgreSQL's parser sees."""
    assert parsed(text) == statements(text)


@given(st.lists(st.tuples(*[st.sampled_from(part) for part in (GAPS, STATEMENTS, GAPS)])))
def test_any_sequence_is_split_as_postgresql_does(parts: list[tuple[str, str, str]]) -> None:
    """Statements in any order, with any comments around, split as PostgreSQL's parser does."""
    text = "".join(f"{before}{one}{after};" for before, one, after in parts)

    assert parsed(text) == statements(text)


@settings(max_examples=1000)
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_any_text_is_cut_as_postgresql_does(pieces: list[str]) -> None:
    """Pieces strung together at random give PostgreSQL's tokens, or an error where it has one."""
    text = "".join(pieces)
    assume(not JUDGE_ERRS.search(text))
    try:
        expected = judged(text)
    except postgast.PgQueryError as error:
        if "unterminated" in str(error):
            with pytest.raises(UnterminatedToken):
                lexed(text)
        return

    assert expected == joined(text, lexed(text))


@given(st.text(alphabet="'\"$-/*aE;() \n\\é"))
def test_only_blanks_and_comments_are_between_tokens(text: str) -> None:
    """Tokens are in order, and what no token covers is blanks and comments."""
    try:
        tokens = lexed(text)
    except UnterminatedToken:
        return
    position = 0
    for _, start, end in [*tokens, Token(TokenKind.OPERATOR, len(text), len(text))]:
        assert position <= start <= end
        assert lexed(text[position:start]) == []
        position = end
