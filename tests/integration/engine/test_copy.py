"""COPY in a migration: data for the server, data from it, and what is wrong with data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.errors import MigrationFailed

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_TABLE = "CREATE TABLE a (x text, y int);\n"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("COPY a FROM STDIN;\none\t1\ntwo\t2\n\\.\n", [("one", 1), ("two", 2)]),
        ("COPY a FROM STDIN;\none\t1\n\\.", [("one", 1)]),
        ("COPY a FROM STDIN;\none\t1", [("one", 1)]),
        ("COPY a FROM STDIN;\n\\.\n", []),
        ("COPY a FROM STDIN;", []),
        ('COPY a FROM STDIN WITH (FORMAT csv, HEADER);\nx,y\n"a,\nb",7\n\\.\n', [("a,\nb", 7)]),
        ("COPY a FROM STDIN;\r\none\t1\r\n\\.\r\nSELECT 1;\r\n", [("one", 1)]),
        ("COPY a FROM STDIN;\na;b'c--\t1\n\\.\nCOPY a FROM STDIN;\n\\N\t2\n\\.\nSELECT 1;",
         [("a;b'c--", 1), (None, 2)]),
        ("COPY a (y) FROM STDIN;\n1\n\\.\nUPDATE a SET x = 'é';", [("é", 1)]),
    ],
)  # fmt: skip
def test_copy_from_stdin(site: Site, text: str, rows: list[tuple[str | None, int]]) -> None:
    """The data behind COPY … FROM STDIN are loaded as psql loads them."""
    assert site.add("1_a", _TABLE + text).up() == (1,)
    assert site.ask("SELECT x, y FROM a ORDER BY y") == rows


def test_large_copy_data(site: Site) -> None:
    """Twenty megabytes of data go through, in one transaction."""
    line = "x" * 200 + "\t7\n"
    site.add("1_a", f"{_TABLE}COPY a FROM STDIN;\n{line * 100_000}\\.\n")

    assert site.up() == (1,)
    assert site.ask("SELECT count(*), sum(y) FROM a") == [(100_000, 700_000)]


def test_an_error_early_in_large_data(site: Site) -> None:
    """An error in the first line of large data ends the load, and the session goes on."""
    line = "x" * 200 + "\t7\n"
    text = f"{_TABLE}SELECT 1;\nCOPY a FROM STDIN;\nx\tno number\n{line * 50_000}\\.\n"
    error = site.add("1_a", text).up_fails(MigrationFailed)

    assert (error.server.sqlstate, error.place.line) == ("22P02", 3)
    assert "COPY a, line 1, column y" in error.server.context
    assert (site.tables(), site.ledger(), site.history()) == (set(), [], [(1, "up", "failed")])


@pytest.mark.parametrize("lines", [0, 10, 200_000])
def test_copy_to_stdout_is_drained(site: Site, lines: int) -> None:
    """What COPY … TO STDOUT sends is read away, and the file goes on."""
    copied = f"COPY (SELECT repeat('y', 50) FROM generate_series(1, {lines})) TO STDOUT;"

    assert site.add("1_a", f"{_TABLE}{copied}\nINSERT INTO a VALUES ('z', 1);").up() == (1,)
    assert site.ask("SELECT x FROM a") == [("z",)]


def test_copy_without_data_for_it_in_a_do_is_no_way_to_hang(site: Site) -> None:
    """A COPY FROM STDIN that the file has no data for fails, and nothing waits."""
    text = "CREATE TABLE a (x int);\nDO $$ BEGIN EXECUTE 'COPY a FROM STDIN'; END $$;"
    error = site.add("1_a", text).up_fails(MigrationFailed)

    assert (error.place.line, site.tables()) == (2, set())
