"""Where a file may go on, and what of its session has to be there again."""

from __future__ import annotations

import pytest

from rung.script import (
    Dialect,
    Unit,
    cut_after_value,
    lost_before,
    may_resume_after,
    read,
    same_until,
    session_before,
    uncertain_after,
    units_after,
)

_OWN = "VACUUM; BEGIN; SELECT 1; COMMIT; SELECT 2"


def test_a_file_goes_on_between_its_transactions() -> None:
    """Not inside one of its own; a transactional file behind any statement."""
    assert [n for n in range(6) if may_resume_after(read(_OWN), n)] == [0, 1, 4, 5]
    assert all(may_resume_after(read("SELECT 1; SELECT 2"), n) for n in range(3))


def test_what_is_left_of_a_file() -> None:
    """The units behind; the rest of a transactional file is one."""
    assert units_after(read(_OWN), 1) == (Unit(2, 4, "own"), Unit(5, 5, "ours"))
    assert units_after(read("SELECT 1; SELECT 2; SELECT 3"), 1) == (Unit(2, 3, "ours"),)
    assert units_after(read("SELECT 1"), 1) == ()


def test_what_sets_the_session_runs_again() -> None:
    """SET and set_config, not what is local, and not what was rolled back."""
    text = (
        "SET search_path = s; SET LOCAL work_mem = '1MB'; "
        "SELECT pg_catalog.set_config('a.b', '', false); VACUUM; "
        "BEGIN; SET x.y = 1; ROLLBACK; RESET ALL; SELECT 1"
    )

    assert session_before(read(text), 8) == (1, 3, 8)
    assert session_before(read(text), 2) == (1,)
    assert session_before(read("PRAGMA foreign_keys = OFF; VACUUM;", Dialect.SQLITE), 2) == (1,)


@pytest.mark.parametrize(
    ("sql", "again"),
    [
        ("BEGIN; SAVEPOINT s; SET a.b = 1; ROLLBACK TO s; COMMIT", ()),
        ("BEGIN; SET a.b = 1; SAVEPOINT s; ROLLBACK WORK TO SAVEPOINT S; COMMIT", (2,)),
        ("BEGIN; SAVEPOINT s; SET a.b = 1; RELEASE s; COMMIT", (3,)),
        ("BEGIN; SAVEPOINT s; SET a.b = 1; SAVEPOINT t; ROLLBACK TO t; COMMIT", (3,)),
        ("BEGIN; SAVEPOINT s; SAVEPOINT t; SET a.b = 1; RELEASE t; ROLLBACK TO s; COMMIT", ()),
        ("BEGIN; SAVEPOINT s; ROLLBACK TO s; SET a.b = 1; ROLLBACK TO s; COMMIT", ()),
        ("SET a.b = 1; DISCARD ALL; SET c.d = 1", (3,)),
    ],
)
def test_what_was_taken_back_does_not_run_again(sql: str, again: tuple[int, ...]) -> None:
    """A savepoint takes settings back, and so does DISCARD ALL."""
    script = read(sql)

    assert session_before(script, len(script.statements)) == again


@pytest.mark.parametrize(
    ("sql", "again", "lost"),
    [
        ("PRAGMA case_sensitive_like = on", (1,), None),
        ('PRAGMA main."recursive_triggers"(1)', (1,), None),
        ("EXPLAIN PRAGMA ignore_check_constraints = 1", (1,), None),
        ("BEGIN; PRAGMA case_sensitive_like = on; ROLLBACK", (2,), None),
        ("PRAGMA user_version = 5", (), None),
        ("PRAGMA table_info(t)", (), None),
        ("PRAGMA whatever", (), None),
        ("PRAGMA whatever = 1", (), 1),
        ("BEGIN; PRAGMA whatever = 1; ROLLBACK", (), 2),
        ("ATTACH 'x' AS a; DETACH a", (1, 2), None),
    ],
)
def test_a_pragma_runs_again(sql: str, again: tuple[int, ...], lost: int | None) -> None:
    """Also one whose transaction was rolled back; what is not known is lost with its session."""
    script = read(f"{sql}; VACUUM", Dialect.SQLITE)
    done = len(script.statements)
    found = lost_before(script, done)

    assert (session_before(script, done), found and found.number) == (again, lost)


@pytest.mark.parametrize(
    ("sql", "lost"),
    [
        ("CREATE TEMP TABLE x (); VACUUM", 1),
        ("VACUUM; PREPARE p AS SELECT 1; VACUUM", 2),
        ("DO $$ BEGIN END $$; SET a.b = 1; LISTEN x; VACUUM", None),
        ("SELECT set_config('a.b', 'c', false); VACUUM", None),
        ("SELECT set_config('a.b', 'c', false), f(); VACUUM", 1),
        ("SELECT set_config('a.b', f(), false); VACUUM", 1),
        ("SELECT set_config('a.b', 'c', false) FROM t; VACUUM", 1),
    ],
)
def test_what_is_gone_with_its_session(sql: str, lost: int | None) -> None:
    """Temporary tables and prepared statements are not made again."""
    script = read(sql)
    found = lost_before(script, len(script.statements))

    assert lost == (found and found.number)


def test_a_transaction_that_commits_twice_is_uncertain() -> None:
    """A COMMIT AND CHAIN within it."""
    chained = read("VACUUM; BEGIN; SELECT 1; COMMIT AND CHAIN; SELECT 2; COMMIT")

    assert (uncertain_after(chained, 1) or chained.statements[0]).number == 4
    assert uncertain_after(chained, 0) is None
    assert uncertain_after(read(_OWN), 1) is None


def test_a_change_behind_is_none_before() -> None:
    """Comments, spacing and directives do not count; a statement more or less does."""
    ran, now = (
        read("SELECT 1; select 'a'; SELECT 2"),
        read("-- x\nSELECT  1;\nSELECT 'a'; SELECT 3"),
    )

    assert same_until(ran, now, 2)
    assert not same_until(ran, now, 3)
    assert not same_until(ran, read("SELECT 1"), 2)
    assert same_until(ran, read("-- rung: no-transaction\nSELECT 1"), 1)


def test_an_enums_value_is_cut_behind() -> None:
    """Behind the last one before the use; nowhere where something lives in the transaction."""
    text = "SELECT 1; ALTER TYPE s.m ADD VALUE IF NOT EXISTS 'a'; SELECT 'a'::m"

    assert cut_after_value(read(text), 1, 3) == 2
    assert cut_after_value(read(text), 3, 3) is None
    assert cut_after_value(read(f"LOCK TABLE t; {text}"), 1, 4) is None
