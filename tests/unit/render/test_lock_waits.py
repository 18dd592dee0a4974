"""What is said of waiting for locks, and how often."""

from __future__ import annotations

import pytest

from rung.events import Blocker, BlockerCancelled, BuildProgress, LockAwaited, LockRefused, Queued
from rung.render.lock_waits import Waits

WEB = Blocker(7, "ada", "web", "active", 75.0, 4000.0, "UPDATE t SET a = 1")
QUEUE = tuple(Queued(number, "api") for number in (8, 9, 10, 11))


def test_a_refusal() -> None:
    """It says what became of the transaction, who held the lock, and who waited behind us."""
    said = Waits().lines(LockRefused(3, 1, 0.0, 0.2, 1.2, (WEB,), QUEUE))

    assert said == (
        "warning: version 3: lock timeout after 200 ms; rolled back, retrying in 1.2 s",
        f"detail: Blocked by {WEB}.",
        "detail: To end it: SELECT pg_terminate_backend(7);",
        (
            "detail: 4 sessions are queued behind this migration: processes 8 (api), 9 (api), "
            "10 (api) and 1 more."
        ),
    )


def test_who_holds_it() -> None:
    """All that is known of it, in one line."""
    assert str(WEB) == (
        'process 7 (user "ada", application "web"), active for 1 min 15 s, transaction open for '
        "1 h 6 min: UPDATE t SET a = 1"
    )


def test_refusals_are_said_every_five_seconds() -> None:
    """And at once for another migration."""
    waits = Waits()
    waited = [0.0, 1.2, 2.4, 5.1, 6.0]
    events = [LockRefused(3, n, at, 0.2, 1.2) for n, at in enumerate(waited, 1)]
    said = [len(waits.lines(event)) for event in (*events, LockRefused(4, 1, 0.0, 0.2, 1.2))]

    assert said == [1, 0, 0, 1, 0, 1]


def test_as_far_as_our_rights_show_it() -> None:
    """What is not shown is left out; a prepared transaction has no process."""
    said = Waits().lines(LockAwaited(12.0, (Blocker(7), Blocker(0))))

    assert said == (
        "detail: Waiting for a lock for 12.0 s.",
        "detail: Blocked by process 7.",
        "detail: To end it: SELECT pg_terminate_backend(7);",
        "detail: Blocked by a prepared transaction (see pg_prepared_xacts).",
    )


@pytest.mark.parametrize(
    ("blocker", "said", "ending"),
    [
        (
            Blocker(0, in_transaction=75.0, prepared="it's"),
            'the prepared transaction "it\'s", prepared for 1 min 15 s',
            "ROLLBACK PREPARED 'it''s';",
        ),
        (Blocker(0, standby="none"), "a synchronous standby (none)", ""),
        (Blocker(7, query="autovacuum: VACUUM t"), "process 7: autovacuum: VACUUM t", ""),
    ],
)
def test_what_is_no_session(blocker: Blocker, said: str, ending: str) -> None:
    """A prepared transaction is ended by its name; a standby and an autovacuum are left alone."""
    assert (str(blocker), blocker.ending) == (said, ending)


def test_autovacuum_gives_way_to_who_waits() -> None:
    """Longer than our limit allows; how to have it do so is said."""
    said = Waits().lines(LockAwaited(12.0, (Blocker(7, query="autovacuum: VACUUM public.t"),)))

    assert "--lock-timeout 1500ms" in said[-1]


def test_cancelling() -> None:
    """It is said of both: whose query was cancelled, and whose could not be."""
    waits = Waits()

    assert waits.lines(BlockerCancelled(Blocker(7))) == (
        "warning: cancelled the query of process 7",
    )
    assert waits.lines(BlockerCancelled(Blocker(7), "It is idle.")) == (
        "warning: could not cancel the query of process 7",
        "detail: It is idle.",
    )


def test_an_index_that_is_built() -> None:
    """Its phase and how far it is, every five seconds."""
    waits = Waits()
    events = [BuildProgress("building index", at, 8, "blocks", at) for at in (1, 3, 7)]
    waiting = BuildProgress("waiting for old snapshots", 0, 0, "", 1.0)

    assert [waits.lines(event) for event in events] == [
        ("detail: Building index, 1 of 8 blocks (12 %), 1.0 s so far.",),
        (),
        ("detail: Building index, 7 of 8 blocks (87 %), 7.0 s so far.",),
    ]
    assert Waits().lines(waiting) == ("detail: Waiting for old snapshots, 1.0 s so far.",)
