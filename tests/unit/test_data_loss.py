"""What a file says that it takes away."""

from __future__ import annotations

import pytest

from rung.script import read
from rung.script.data_loss import MOST_ROWS, DataLoss, find_data_loss


def shown(text: str) -> list[str]:
    """The losses of some SQL as people read them."""
    return [str(loss) for loss in find_data_loss(read(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DROP TABLE a", ["table a"]),
        (
            'drop table if exists a, b.c , "D e".f cascade',
            ["table a", "table b.c", 'table "D e".f'],
        ),
        ("DROP TABLE public . a RESTRICT", ["table public.a"]),
        ("DROP MATERIALIZED VIEW IF EXISTS m", ["materialized view m"]),
        ("DROP FOREIGN TABLE f", ["foreign table f"]),
        ("DROP SCHEMA s, t CASCADE", ["schema s", "schema t"]),
        ("DROP SEQUENCE s", ["sequence s"]),
        ("DROP DATABASE IF EXISTS d WITH (FORCE)", ["database d"]),
        ("TRUNCATE a", ["rows of table a"]),
        ("TRUNCATE TABLE ONLY a, b *, c RESTART IDENTITY", [f"rows of table {t}" for t in "abc"]),
    ],
)
def test_what_goes_whole(text: str, expected: list[str]) -> None:
    """Dropped things and emptied tables are listed by the names that the file writes."""
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("actions", "columns"),
    [
        ("DROP COLUMN b", ["b"]),
        ("DROP b", ["b"]),
        ('drop column if exists "B c" cascade', ['"B c"']),
        ("DROP COLUMN b, ADD COLUMN c numeric(8, 2), DROP d", ["b", "d"]),
        ("ADD CHECK (f(x, y) > 0), DROP e", ["e"]),
        ("DROP identity, DROP expression", ["identity", "expression"]),
        ("DROP CONSTRAINT k, DROP COLUMN b", ["b"]),
    ],
)
@pytest.mark.parametrize("table", ["a", "IF EXISTS ONLY a", "a *"])
def test_dropped_columns(table: str, actions: str, columns: list[str]) -> None:
    """Each DROP of a column is listed, between whatever other actions it stands."""
    expected = [f"column {column} of a" for column in columns]

    assert shown(f"ALTER TABLE {table} {actions}") == expected


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE a DROP CONSTRAINT IF EXISTS k CASCADE",
        "ALTER TABLE a ALTER COLUMN b DROP DEFAULT, ALTER c DROP NOT NULL",
        "ALTER TABLE a ALTER b DROP IDENTITY IF EXISTS, ALTER b DROP EXPRESSION",
        "DROP INDEX i; DROP VIEW v; DROP FUNCTION f(int); DROP TYPE t",
        "CREATE TABLE a (b int); INSERT INTO a SELECT 1",
        "WITH a AS (SELECT 1 FOR UPDATE) INSERT INTO b SELECT * FROM a ON CONFLICT DO NOTHING",
        "EXPLAIN DELETE FROM a",
        "SELECT 'DROP TABLE a' -- DROP TABLE b",
        "",
    ],
)
def test_what_takes_nothing(text: str) -> None:
    """Constraints, defaults, indexes and words in strings are no loss of data."""
    assert shown(text) == []


def test_the_order_of_the_file() -> None:
    """The losses of several statements come in their order."""
    assert shown("TRUNCATE b; DROP TABLE b, a; ALTER TABLE c DROP d") == [
        "rows of table b",
        "table b",
        "table a",
        "column d of c",
    ]


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (DataLoss("table", "a").counted(12), "table a (12 rows)"),
        (DataLoss("table", "a").counted(1), "table a (1 row)"),
        (DataLoss("table", "a").counted(0), "table a (0 rows)"),
        (DataLoss("table", "a").counted(MOST_ROWS), "table a (100,000 rows)"),
        (DataLoss("table", "a").counted(MOST_ROWS + 1), "table a (more than 100,000 rows)"),
        (DataLoss("column", "a", "b").uncounted("locked"), "column b of a (rows unknown: locked)"),
        (DataLoss("view", "v"), "view v"),
    ],
)
def test_rows(loss: DataLoss, expected: str) -> None:
    """A count is exact up to its bound; what was not counted is never none."""
    assert str(loss) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DELETE FROM a", "rows of table a"),
        ("DELETE FROM a WHERE b", "rows of table a (rows unknown: the statement selects them)"),
        ("UPDATE a SET b = 1", "values in table a (rows unknown: the statement selects them)"),
        (
            "MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE",
            "values in table a (rows unknown: the statement selects them)",
        ),
        ("DELETE FROM a LIMIT 1", "rows of table a (rows unknown: the statement selects them)"),
        (
            "WITH b AS (SELECT 1), c AS MATERIALIZED (DELETE FROM a RETURNING *) SELECT * FROM c",
            "rows of table a (rows unknown: the statement selects them)",
        ),
        (
            "WITH b AS (SELECT 1 FOR UPDATE) UPDATE ONLY a SET x = 1",
            "values in table a (rows unknown: the statement selects them)",
        ),
        (
            "EXPLAIN (ANALYZE) DELETE FROM a",
            "rows of table a (rows unknown: the statement selects them)",
        ),
        *(
            (
                f"{words} a VALUES (1)",
                "values in table a (rows unknown: the statement selects them)",
            )
            for words in ("REPLACE INTO", "INSERT OR REPLACE INTO")
        ),
        (
            "INSERT INTO a VALUES (1) ON CONFLICT (x) DO UPDATE SET y = 2",
            "values in table a (rows unknown: the statement selects them)",
        ),
        ("DO $$ BEGIN DROP TABLE a; END $$", "changes by DO (rows unknown: its code was not read)"),
        ("CALL s.p(1)", "changes by CALL s.p (rows unknown: its code was not read)"),
    ],
)
def test_rows_that_a_statement_chooses(text: str, expected: str) -> None:
    """Which rows it changes nobody has counted."""
    assert shown(text) == [expected]


@pytest.mark.parametrize("text", ["DROP TABLE a CASCADE", "ALTER TABLE a DROP b CASCADE"])
def test_cascades(text: str) -> None:
    """The driver is told to look for what goes along."""
    assert [loss.cascade for loss in find_data_loss(read(text))] == [True]
