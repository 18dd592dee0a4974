"""What keeps a rollback from being tried, and what a dry run proves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.history import row
from tests.unit.repair.cases import candidate, snapshot, tried

from rung.ledger import Outcome
from rung.repair import Proof, StateMatch, judge
from rung.repair.rollback import judge_dry_run, why_down_is_unsafe, why_file_is_unproved
from rung.script import read
from rung.script.data_loss import DryRun, Gone

A, B = "table a", "table b"
FAILED = replace(row(2, outcome=Outcome.FAILED), statements_done=1)
MADE = Gone("table", "a", since=True)


def finding(first: str = "CREATE TABLE a (x int)", counted: int | None = 1) -> StateMatch:
    """One statement that is done of two, the second of which fails on scratch."""
    attempt = None if counted is None else replace(FAILED, statements_done=counted)
    one = tried(candidate(f"{first};\nCREATE TABLE b ();", attempt=attempt), A, failure="no")
    return judge([[one]], snapshot(A), stated_done=1)


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ("CREATE TABLE a (x int)", ""),
        ("CREATE VIEW a AS SELECT 1", ""),
        ("VACUUM u", ""),
        ("ALTER TABLE users ADD COLUMN x int", ""),
        ("ALTER TABLE users ALTER x DROP NOT NULL", ""),
        (
            "CREATE TABLE IF NOT EXISTS a (x int)",
            "may have found its object existing already (IF NOT EXISTS)",
        ),
        (
            "ALTER TABLE u ADD COLUMN IF NOT EXISTS a int",
            "may have found its object existing already",
        ),
        (
            "CREATE OR REPLACE VIEW a AS SELECT 1",
            "may have found its object existing already (OR REPLACE)",
        ),
        ("DROP TABLE IF EXISTS a", "may have found its object existing already (IF EXISTS)"),
        ("CREATE TABLE a AS SELECT 1", "copied rows"),
        ("CREATE TABLE a AS (VALUES (1))", "copied rows"),
        ("CREATE MATERIALIZED VIEW a AS SELECT 1", "copied rows"),
        ("INSERT INTO u VALUES (1)", "(INSERT) may have changed rows"),
        ("WITH a AS (DELETE FROM u RETURNING 1) SELECT 1", "(WITH) may have changed rows"),
        ("SELECT f()", "(SELECT) may have changed rows"),
        ("DO $$ BEGIN END $$", "(DO) may have changed rows"),
        ("DROP TABLE u", "(DROP) may have changed rows"),
        ("ALTER TABLE u DROP a", "removed, moved or changed values"),
        ("ALTER TABLE u ALTER a TYPE int USING 1", "removed, moved or changed values"),
        ("ALTER TABLE u ATTACH PARTITION a DEFAULT", "removed, moved or changed values"),
        ("ALTER TABLE u RENAME TO v", "removed, moved or changed values"),
        ("ALTER TABLE u RENAME a TO b", "removed, moved or changed values"),
        ("ALTER VIEW u SET SCHEMA b", "removed, moved or changed values"),
        ("ALTER SEQUENCE s RESTART", "removed, moved or changed values"),
        ("ALTER TABLE u ADD x int, DISABLE TRIGGER ALL", "removed, moved or changed values"),
        ("ALTER TABLE u ADD x int, SET (fillfactor = 70)", "not completely visible"),
        ("ALTER TABLE u ADD x int DEFAULT f()", "not completely visible"),
        ("ALTER TABLE u ADD x int DEFAULT 0, ENABLE ROW LEVEL SECURITY", ""),
        ("ALTER FUNCTION f() COST 5", "not completely visible"),
        ("CREATE ROLE r", "leaves no trace in the schema"),
    ],
)
def test_what_a_file_may_have_done(first: str, reason: str) -> None:
    """Only what makes something, and cannot have found it there, is a file's own."""
    found = why_file_is_unproved(finding(first))

    assert reason in found
    assert bool(reason) == bool(found)


def test_what_leaves_no_trace_is_not_undone() -> None:
    """A rollback to the schema of before would leave it as it is."""
    text = "CREATE TABLE a (x int);\nGRANT SELECT ON users TO ada;\nCREATE TABLE b ();"
    attempt = replace(FAILED, statements_done=2)
    one = tried(candidate(text, attempt=attempt), A, "", failure="no")
    found = judge([[one]], snapshot(A), stated_done=2)

    assert why_file_is_unproved(found) == "statement 2 (GRANT) leaves no trace in the schema"


@pytest.mark.parametrize(
    ("counted", "reason"), [(None, "no attempt"), (0, "the history counted 0"), (2, "counted 2")]
)
def test_the_history_has_to_know(counted: int | None, reason: str) -> None:
    """A likeness is no authorship."""
    assert reason in why_file_is_unproved(finding(counted=counted))


@pytest.mark.parametrize(
    ("down", "reason"),
    [
        ("DROP VIEW v; DROP TABLE a; DROP TYPE t", ""),
        ("ALTER TABLE a DROP COLUMN b, ALTER c DROP NOT NULL", ""),
        ("SET search_path = s; DROP TABLE a", ""),
        ("REVOKE SELECT ON a FROM b", ""),
        ("DROP INDEX CONCURRENTLY i", "cannot run in one transaction"),
        ("BEGIN; DROP TABLE a; COMMIT", "transaction"),
        ("DELETE FROM u", "(DELETE FROM) is more than a change of schema"),
        ("SELECT f()", "is more than a change of schema"),
        ("CALL f()", "(CALL F) is more than a change of schema"),
        ("DO $$ BEGIN END $$", "is more than a change of schema"),
        ("COPY a TO PROGRAM 'x'", "is more than a change of schema"),
        ("DROP FOREIGN TABLE f", "is more than a change of schema"),
        ("DROP EXTENSION e CASCADE", "is more than a change of schema"),
        ("DROP OWNED BY x", "is more than a change of schema"),
        ("CREATE TABLE a (x int)", "is more than a change of schema"),
        ("ALTER TABLE a ADD COLUMN b int DEFAULT f()", "computes or moves rows (DEFAULT)"),
        ("ALTER TABLE a ALTER b TYPE int", "computes or moves rows (TYPE)"),
        ("ALTER TABLE a ADD CHECK (f(b))", "computes or moves rows (CHECK)"),
        ("ALTER TABLE a DETACH PARTITION b", "computes or moves rows (DETACH)"),
        ("ALTER TABLE a RENAME TO b", "computes or moves rows (RENAME)"),
        ("ALTER TYPE a SET SCHEMA b", "computes or moves rows (SCHEMA)"),
        ("ALTER TABLE a ENABLE TRIGGER ALL", "computes or moves rows (TRIGGER)"),
        ("ALTER TABLE a CLUSTER ON i", "is not completely visible in the schema"),
        ("ALTER TYPE a DROP ATTRIBUTE b", ""),
    ],
)
def test_what_is_sent(down: str, reason: str) -> None:
    """What changes the schema, in one transaction, and nothing else."""
    found = why_down_is_unsafe(read(down))

    assert reason in found
    assert bool(reason) == bool(found)


@pytest.mark.parametrize(
    ("live", "after", "gone", "proof", "reason"),
    [
        ((A,), (), MADE, "proved", ""),
        ((A, "view v"), (), MADE, "refuted", "would change or remove view v too"),
        ((A,), (A,), None, "refuted", "would change or remove table a too"),
        ((A,), (), replace(MADE, since=False), "refuted", "table a may be older than the attempt"),
        ((A,), (), replace(MADE, kind="foreign table"), "not proved", "cannot be counted"),
    ],
)
def test_a_dry_run(
    live: tuple[str, ...], after: tuple[str, ...], gone: Gone | None, proof: str, reason: str
) -> None:
    """Nothing goes but what the file made, and that is younger than its attempt."""
    ran = DryRun("", snapshot(*live), snapshot(*after), (gone,) if gone else ())
    found = judge_dry_run(finding(), ran)

    assert found.proof.value == proof
    assert reason in found.reason


def test_a_dry_run_that_was_not_sent() -> None:
    """Its reason is the proof's."""
    found = judge_dry_run(finding(), DryRun("the tables are too large"))

    assert (found.proof, found.reason) == (Proof.NOT_PROVED, "the tables are too large")
