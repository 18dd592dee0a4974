"""What code may set in its session, and what it calls."""

from __future__ import annotations

import pytest

from rung.script import calls_in, calls_of, dropped_before, read


@pytest.mark.parametrize(
    ("code", "sets"),
    [
        ("BEGIN PERFORM set_config('a.b', '', false); END", True),
        ("BEGIN SET search_path = s; END", True),
        ("BEGIN IF x THEN SET a.b = 1; END IF; END", True),
        ("BEGIN RESET ALL; END", True),
        ("BEGIN EXECUTE 'SET ' || x; END", True),
        ("SET a.b = 1", True),
        ("BEGIN -- why\n SET a.b = 1; END", True),
        ("BEGIN SET LOCAL a.b = 1; END", False),
        ("BEGIN UPDATE t SET x = 1; COMMIT; END", False),
        ("BEGIN INSERT INTO t VALUES ('set_config'); END", False),
    ],
)
def test_code_that_may_set(code: str, *, sets: bool) -> None:
    """SET as a statement, set_config, and what is put together when it runs."""
    assert calls_of(code).sets == sets
    assert (
        calls_in(read(f"DO $x$ {code} $x$"), read(f"DO $x$ {code} $x$").statements[0]).sets == sets
    )


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT s.Quiet(1), lower('x')", {"quiet", "lower"}),
        ('CALL "P"()', {"P"}),
        ("DO $$ BEGIN PERFORM f(); END $$", {"f"}),
        ("SELECT set_config('a.b', '', false)", set()),
        ("CREATE TABLE t AS SELECT f()", {"f"}),
        ("ALTER TABLE t ADD x int DEFAULT f()", {"f"}),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", set()),
    ],
)
def test_what_is_called(sql: str, names: set[str]) -> None:
    """By any statement that computes something; set_config alone is run again."""
    script = read(sql)

    assert calls_in(script, script.statements[0]).names == names


def test_what_was_dropped_cannot_be_read() -> None:
    """Up to where the file stopped."""
    script = read("DROP FUNCTION IF EXISTS s.Quiet(); SELECT 1; DROP PROCEDURE p")

    assert {"quiet"} <= dropped_before(script, 2)
    assert "p" not in dropped_before(script, 2)
