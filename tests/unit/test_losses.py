"""What a file says that it takes away."""

from __future__ import annotations

import time

import pytest

from rung.losses import Loss, losses
from rung.statements import read


def shown(text: str) -> list[str]:
    """The losses of some SQL as people read them."""
    return [str(loss) for loss in losses(read(text))]


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
        ("DELETE FROM a WHERE x = 1", ["rows of table a"]),
        ("delete from only s.a using b", ["rows of table s.a"]),
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
    ("rows", "expected"),
    [
        (12, "table a (about 12 rows)"),
        (0, "table a (about 0 rows)"),
        (-1, "table a"),
        (None, "table a"),
    ],
)
def test_estimates(rows: int | None, expected: str) -> None:
    """An estimate is shown as one; a table that was never analysed has none."""
    assert str(Loss("table", "a").estimated(rows)) == expected


def test_a_long_file_takes_no_longer_than_its_length() -> None:
    """Statements are looked through at once, not once for each statement."""
    once, four = (_seconds("INSERT INTO a VALUES (1, 2, 3);\n" * n) for n in (2_000, 8_000))

    assert 9 * once + 0.01 > four


def _seconds(before: str) -> float:
    """The processor time that it takes to find a loss at the end of a text, the best of three."""
    script = read(f"{before}DROP TABLE a")
    times = []
    for _ in range(3):
        begun = time.process_time()
        assert [str(loss) for loss in losses(script)] == ["table a"]
        times.append(time.process_time() - begun)
    return min(times)
