"""The lease as SQL, the fence of a transaction, and what is left clean behind a file."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rung.drivers.postgres.connect import SessionSettings
from rung.drivers.postgres.lease import BEAT_EVERY, LIFETIME, Lease
from rung.drivers.postgres.ledger_sql import leave_clean
from rung.drivers.postgres.lock import TransactionGuard
from rung.drivers.postgres.tables import Table
from rung.script import read

LEASE = Lease(Table("s", "led_lease"), "7d1c", (1, 2))


def flat(sql: str) -> str:
    """A statement on one line, with bare operators and names."""
    bare = re.sub(r"OPERATOR\(pg_catalog\.(..?)\)", r"\1", sql).replace("pg_catalog.", "")
    return " ".join(bare.split())


def test_a_fence_takes_the_keys_before_it_looks() -> None:
    """A look at the lease before the keys are ours might be overtaken."""
    fence = TransactionGuard.of(LEASE, watched=False)

    assert [flat(sql) for sql in (*fence.keys, *fence.lease)] == [
        (
            "SELECT 1 / CASE WHEN CASE WHEN NOT pg_try_advisory_xact_lock(1) THEN false "
            "WHEN NOT pg_try_advisory_xact_lock(2) THEN false ELSE true END THEN 1 ELSE 0 END"
        ),
        (
            'SELECT 1 / count(*) FROM (SELECT FROM "s"."led_lease" '
            "WHERE owner = E'7d1c'::uuid FOR KEY SHARE) mine"
        ),
    ]


def test_no_session_lock_is_taken_behind_a_pooler() -> None:
    """It would stay in a session that the next client gets."""
    said = (*LEASE.make(), LEASE.take, LEASE.check, LEASE.beat, LEASE.give_back)

    assert not any(re.search(r"pg_(try_)?advisory_lock\b", sql) for sql in said)


def test_the_lease_is_made_under_the_keys() -> None:
    """Two that make it at once do not meet; who writes the ledger may use it."""
    made = [flat(sql).split("(")[0] for sql in (*LEASE.make(), *LEASE.share(("ada", "PUBLIC")))]

    assert made[0].startswith("SELECT 1 / CASE")
    assert made[1].startswith("SELECT set_config")
    assert made[2] == 'CREATE TABLE IF NOT EXISTS "s"."led_lease" '
    assert made[3].startswith('INSERT INTO "s"."led_lease" ')
    assert made[4] == 'GRANT SELECT, UPDATE ON TABLE "s"."led_lease" TO ada, PUBLIC'


@pytest.mark.parametrize("sql", [LEASE.check, LEASE.beat, LEASE.give_back, LEASE.in_use])
def test_only_the_owner(sql: str) -> None:
    """What an owner does touches the row only while it is his."""
    other = replace(LEASE, owner="other")

    assert "owner = E'7d1c'::uuid" in flat(sql)
    assert "7d1c" not in other.check + other.beat + other.give_back + other.in_use


def test_several_signs_of_life_may_be_lost() -> None:
    """One that comes late takes nothing from its owner."""
    assert LIFETIME >= 5 * BEAT_EVERY
    assert f"make_interval(secs => {LIFETIME:.6f})" in LEASE.beat


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE t ();", 0),
        ("SET x.y = '1';", 8),
        ("PREPARE p AS SELECT 1;", 9),
        ("SELECT pg_advisory_lock(1);", 9),
    ],
)
def test_what_is_left_clean(text: str, expected: int) -> None:
    """Nothing after a statement that cannot have changed the session; only what it may have."""
    script = read(text)
    clean = leave_clean(script, 1, len(script.statements))

    assert len(clean) == expected
    assert ("DEALLOCATE ALL" in clean) is text.startswith("PREPARE")
    assert any("unlock_all" in sql for sql in clean) is ("lock(1)" in text)


def test_settings_of_a_shared_session() -> None:
    """What others left is put aside first, for the message alone."""
    said = SessionSettings((("search_path", "s"), ("role", "r"))).for_shared

    assert all(sql.startswith("SET LOCAL ") for sql in said)
    assert said.index("SET LOCAL search_path TO DEFAULT") < said.index(
        "SET LOCAL \"search_path\" = E's'"
    )
