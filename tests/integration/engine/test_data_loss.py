"""What a down would take away is counted, and what cannot be counted says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from rung import Down, Migrator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Database

_BASE = """
CREATE TABLE a (id int PRIMARY KEY, x int);
INSERT INTO a SELECT g, CASE WHEN g < 3 THEN g END FROM generate_series(1, 5) g;
CREATE TABLE b (a_id int REFERENCES a ON DELETE CASCADE);
INSERT INTO b VALUES (1), (2);
CREATE VIEW va AS SELECT * FROM a;
CREATE VIEW vva AS SELECT * FROM va;
CREATE MATERIALIZED VIEW m AS SELECT * FROM b;
CREATE TABLE p (x int) PARTITION BY RANGE (x);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
INSERT INTO p VALUES (1), (2), (3);
CREATE SCHEMA s; CREATE TABLE s.t (x int); INSERT INTO s.t VALUES (1);
CREATE TABLE big (x int); INSERT INTO big SELECT generate_series(1, 100001);
"""


def told(database: Database, folder: Path, down: str) -> list[str]:
    """The losses of a down, as people read them."""
    (folder / "1_a.up.sql").write_text(_BASE)
    (folder / "1_a.down.sql").write_text(down)
    migrator = Migrator(database.url, folder)
    migrator.up()
    return [str(loss) for loss in migrator.plan(Down(1)).losses]


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        ("ALTER TABLE a DROP COLUMN x", ["column x of a (2 rows)"]),
        ("DROP TABLE p", ["table p (3 rows)"]),
        ("DROP TABLE big", ["table big (more than 100,000 rows)"]),
        ("DROP TABLE nowhere", ["table nowhere (rows unknown: the table does not exist now)"]),
        (
            "DROP TABLE a CASCADE",
            [
                "table a (5 rows)",
                "foreign key b_a_id_fkey on public.b",
                "view public.va",
                "view public.vva",
            ],
        ),
        ("DROP TABLE p CASCADE", ["table p (3 rows)", "table public.p1 (3 rows)"]),
        ("DROP SCHEMA s CASCADE", ["schema s", "table s.t (1 row)"]),
        (
            "DELETE FROM a",
            [
                "rows of table a (5 rows)",
                "rows of table public.b (rows unknown: by their foreign key)",
            ],
        ),
        ("TRUNCATE a CASCADE", ["rows of table a (5 rows)", "rows of table public.b (2 rows)"]),
        ("DROP MATERIALIZED VIEW m", ["materialized view m (2 rows)"]),
    ],
)
def test_what_goes(database: Database, tmp_path: Path, down: str, expected: list[str]) -> None:
    """Children and partitions count, and a cascade's views, foreign keys and tables are named."""
    assert told(database, tmp_path, down) == expected


def test_a_locked_table(database: Database, tmp_path: Path) -> None:
    """Nobody waits for a count: its rows are unknown."""
    told(database, tmp_path, "DROP TABLE big")
    with psycopg.connect(database.url) as holder:
        holder.execute("LOCK TABLE big")
        gone = told(database, tmp_path, "DROP TABLE big")
        holder.rollback()

    assert gone == ["table big (rows unknown: the table is locked)"]


def test_row_security(database: Database, tmp_path: Path) -> None:
    """Rows that row security hides are not none."""
    told(database, tmp_path, "DROP TABLE big")
    database.psql("DROP ROLE IF EXISTS counts_for_us")
    database.psql("CREATE ROLE counts_for_us LOGIN; ALTER TABLE big ENABLE ROW LEVEL SECURITY")
    database.psql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO counts_for_us")
    url = database.url.replace("postgres@", "counts_for_us@")
    gone = [str(one) for one in Migrator(url, tmp_path).plan(Down(1)).losses]
    database.psql("DROP OWNED BY counts_for_us; DROP ROLE counts_for_us")

    assert gone == ["table big (rows unknown: no right to read all of them)"]
