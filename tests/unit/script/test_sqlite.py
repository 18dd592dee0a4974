"""How SQLite's SQL is read: tokens, statements, transactions, and what a file leaves behind."""

from __future__ import annotations

import pytest

from rung.errors import UnbalancedTransaction, UnterminatedToken
from rung.script import (
    Control,
    Dialect,
    Mode,
    Script,
    TokenKind,
    checksum,
    directives,
    read,
    secrets_of,
)
from rung.script.sqlite import foreign_keys

REBUILD = "PRAGMA foreign_keys=OFF;\nBEGIN;\nDROP TABLE a;\nCOMMIT;\nPRAGMA foreign_keys=ON;"


def lite(text: str) -> Script:
    """A script as SQLite reads it."""
    return read(text, Dialect.SQLITE)


def statements(text: str) -> list[str]:
    """The texts of a script's statements."""
    return [text[one.start : one.end] for one in lite(text).statements]


def units(text: str) -> list[tuple[int, int, str]]:
    """A script's units as plain tuples."""
    return [(one.first, one.last, one.transaction) for one in lite(text).units]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'it''s; fine'", ["'it''s; fine'"]),
        (r"'a\' b", [r"'a\'", "b"]),
        ("x'0F' X'' xy", ["x'0F'", "X''", "xy"]),
        ('"a"";b" `c``;d` [e;"f]', ['"a"";b"', "`c``;d`", '[e;"f]']),
        ("a-->b\n-- c;\n->>d->e", ["a", "->>", "d", "->", "e"]),
        ("/* a /* b */ c", ["c"]),
        ("a /* never closed ; b", ["a"]),
        ("1.5e-3 .5 0xFF 0xE+1", ["1.5e-3", ".5", "0xFF", "0xE", "+", "1"]),
        ("1_000 12ab", ["1_000", "12ab"]),
        ("? ?1 :a @b $c #d", ["?", "?1", ":a", "@b", "$c", "#d"]),
        ("a<=b||c<<2;", ["a", "<=", "b", "||", "c", "<<", "2", ";"]),
        ("größe a$b _x \ufeff y", ["größe", "a$b", "_x", "y"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    """Each token ends where SQLite's own ends; comments are none."""
    assert expected == [text[token.start : token.end] for token in lite(text).tokens]


def test_kinds() -> None:
    """Names in any quotes are names, and text and blobs are strings."""
    kinds = [token.kind for token in lite("a 'b' x'c0' [d] `e` 1 ?2 ;").tokens]

    assert kinds == [
        TokenKind.WORD,
        *(TokenKind.STRING, TokenKind.STRING),
        *(TokenKind.QUOTED_NAME, TokenKind.QUOTED_NAME),
        *(TokenKind.NUMBER, TokenKind.PARAMETER, TokenKind.OPERATOR),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [("'a''", "string"), ("x'a", "string"), ('"a', "quoted name"), ("[a", "quoted name")],
)
def test_what_is_never_closed(text: str, what: str) -> None:
    """An open string or name is refused with its line."""
    with pytest.raises(UnterminatedToken, match=what) as caught:
        lite(f"SELECT 1;\n{text}")

    assert caught.value.line == 2


@pytest.mark.parametrize(
    "expected",
    [
        ["SELECT 1", "SELECT (2", "SELECT 3"],
        ["CREATE TRIGGER a BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 3 end; END", "b"],
        ["CREATE TEMP TRIGGER a BEGIN b; /* c */ END", "d"],
        ["EXPLAIN CREATE TRIGGER a BEGIN b; END", "d"],
        ['CREATE TRIGGER "a;b" BEGIN c; "END"; END', "d"],
        ["CREATE TABLE trigger (a)", "SELECT 1"],
        [],
    ],
)
def test_statements(expected: list[str]) -> None:
    """A semicolon ends a statement wherever it stands, but inside a trigger."""
    assert expected == statements(";;\n; ".join(expected))
    assert expected == statements(f"-- a;\n{';'.join(expected)};/* ; */")


def test_lines() -> None:
    """Each statement knows its line."""
    assert [one.line for one in lite("a;\n\nb; c;\r\nd").statements] == [1, 3, 3, 4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BEGIN; COMMIT", [Control.BEGIN, Control.COMMIT]),
        ("begin immediate transaction; end", [Control.BEGIN, Control.COMMIT]),
        ("BEGIN EXCLUSIVE; ROLLBACK TRANSACTION", [Control.BEGIN, Control.ROLLBACK]),
        ("SAVEPOINT a; ROLLBACK TO a; RELEASE a", [None] * 3),
        ('ROLLBACK TRANSACTION TO SAVEPOINT "a"; ROLLBACK TRANSACTION "x" TO a', [None] * 2),
        ("EXPLAIN COMMIT; [commit]; 'begin'", [None] * 3),
    ],
)
def test_control(text: str, expected: list[Control | None]) -> None:
    """Every spelling of transaction control is known; savepoints are none."""
    assert expected == [one.control for one in lite(text).statements]


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("VACUUM", "VACUUM"),
        ("DETACH b", "DETACH"),
        ("PRAGMA journal_mode = WAL", "PRAGMA journal_mode"),
        ("pragma main.Synchronous(1)", "PRAGMA synchronous"),
        ('PRAGMA "main"."synchronous" = OFF', "PRAGMA synchronous"),
        ("PRAGMA wal_checkpoint", "PRAGMA wal_checkpoint"),
        ("PRAGMA journal_mode", ""),
        ("PRAGMA user_version = 3", ""),
        ("PRAGMA foreign_keys = ON", ""),
        ("PRAGMA", ""),
        ("ATTACH 'b.db' AS b", ""),
        ("SELECT 'VACUUM'", ""),
    ],
)
def test_what_refuses_a_transaction(text: str, refused: str) -> None:
    """Such a statement is named, and its file runs unit by unit."""
    script = lite(f"SELECT 1; {text};")

    assert script.statements[1].needs_no_transaction == refused
    assert script.mode is (Mode.UNITS if refused else Mode.TRANSACTIONAL)


def test_a_pragma_beside_a_transaction_is_heard() -> None:
    """SQLite's recipe to rebuild a table: foreign keys off outside, all that stays inside."""
    script = lite(REBUILD)

    assert (script.mode, units(REBUILD)) == (Mode.OWN_TRANSACTION, [(1, 5, "own")])
    assert script.reason.endswith("enclose all that it leaves in the database")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{REBUILD} VACUUM;", [(1, 1, "none"), (2, 4, "own"), (5, 5, "none"), (6, 6, "none")]),
        (
            f"{REBUILD} BEGIN; COMMIT;",
            [(1, 1, "none"), (2, 4, "own"), (5, 5, "none"), (6, 7, "own")],
        ),
        (f"-- rung: no-transaction\n{REBUILD}", [(1, 1, "none"), (2, 4, "own"), (5, 5, "none")]),
        ("PRAGMA foreign_keys=OFF; BEGIN; ROLLBACK;", [(1, 1, "none"), (2, 3, "own")]),
    ],
)
def test_a_pragma_beside_more(text: str, expected: list[tuple[int, int, str]]) -> None:
    """Where there is more than the one transaction, each piece is a unit."""
    assert units(text) == expected


def test_a_pragma_inside_the_files_own_transaction() -> None:
    """It is done around that transaction too, so the file stays its one transaction."""
    script = lite("BEGIN; PRAGMA foreign_keys=OFF; DROP TABLE a; COMMIT;")

    assert (script.mode, script.statements[1].needs_no_transaction) == (Mode.OWN_TRANSACTION, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PRAGMA foreign_keys=OFF", False),
        ("PRAGMA 'foreign_keys' ( 0 )", False),
        ('EXPLAIN QUERY PLAN PRAGMA "main".[foreign_keys] = "no"', False),
        ("PRAGMA foreign_keys = -1", False),
        ("PRAGMA foreign_keys = 256", False),
        ("PRAGMA foreign_keys = +1", True),
        ("PRAGMA foreign_keys = TRUE", True),
        ("PRAGMA foreign_keys", None),
        ("PRAGMA foreign_key_check", None),
        ("SELECT 'PRAGMA foreign_keys=OFF'", None),
    ],
)
def test_what_sets_foreign_keys(text: str, expected: bool | None) -> None:  # noqa: FBT001 - a value
    """The value is read as SQLite reads it, however it is spelled."""
    script = lite(text)

    assert foreign_keys.set_by(script, script.statements[0]) is expected


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("DROP TABLE a", "a"),
        ('drop table if exists main . "a b"', "a b"),
        ("DROP TABLE IF EXISTS [if]", "if"),
        ("DROP VIEW a", ""),
        ("DROP TABLE", ""),
    ],
)
def test_the_table_that_a_drop_names(text: str, table: str) -> None:
    """Without schema and quotes."""
    script = lite(text)

    assert foreign_keys.dropped_table(script, script.statements[0]) == table


def test_a_pragma_in_a_file_without_transactions() -> None:
    """What it means is done around our transaction; the file stays whole, unless it is marked."""
    text = "PRAGMA foreign_keys=OFF; DROP TABLE a;"

    assert units(text) == [(1, 2, "ours")]
    assert units(f"-- rung: no-transaction\n{text}") == [(1, 1, "none"), (2, 2, "ours")]


def test_a_file_in_one_transaction_of_its_own() -> None:
    """Its own BEGIN IMMEDIATE and END enclose all of it."""
    assert lite("BEGIN IMMEDIATE; SELECT 1; END;").mode is Mode.OWN_TRANSACTION


def test_an_open_transaction() -> None:
    """A BEGIN that nothing ends is refused before it runs."""
    with pytest.raises(UnbalancedTransaction):
        lite("BEGIN; SELECT 1;")


@pytest.mark.parametrize(
    ("text", "touches"),
    [
        ("PRAGMA cache_size = 3", True),
        ("ATTACH 'b.db' AS b", True),
        ("CREATE TEMP TABLE a (x)", True),
        ("CREATE TABLE [temp].a (x)", True),
        ("CREATE TABLE a (x)", False),
        ("INSERT INTO temporary VALUES (1)", False),
    ],
)
def test_what_touches_the_session(text: str, *, touches: bool) -> None:
    """Pragmas, attached databases and temporary things outlive their file."""
    assert lite(text).touches_session is touches


def test_what_leaves_no_trace() -> None:
    """Of the rebuilding file only the transaction leaves something in the database."""
    alone = [one.session_only for one in lite(REBUILD).statements]

    assert alone == [True, False, False, False, True]


def test_directives() -> None:
    """A directive is read to its line end, and is no statement's beginning."""
    script = lite("--rung: allow-out-of-order\r\n-- rung: no-transaction; \nSELECT 1")

    assert directives(script) == ("allow-out-of-order", "no-transaction;")
    assert [one.line for one in script.statements] == [3]


def test_a_checksum_counts_what_counts() -> None:
    """Comments, spacing and letter case do not count; strings and quoted names do."""
    text = "SELECT 'a', [B], x'0f' FROM t"
    same = "/* c */ select 'a',[B],\r\n X'0f' from T -- d"

    assert checksum(lite(text)) == checksum(lite(same))
    assert checksum(lite(text)) != checksum(lite(text.replace("[B]", "[b]")))
    assert checksum(lite(text)) != checksum(lite(text.replace("'a'", "'A'")))


def test_secrets() -> None:
    """A literal behind a name for passwords is one in any quotes of SQLite's."""
    text = "UPDATE [users] SET `password` = 'hunter2', [passwd]='s3cret'"

    assert secrets_of(lite(text)).values == {"hunter2", "s3cret"}
