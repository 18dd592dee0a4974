"""Readiness: which error is which state, and how soon to look again."""

from __future__ import annotations

import pytest

from rung import errors
from rung.integrations.readiness import _STATES, pause_after, readiness_of_error

STATES = [
    (errors.DirtyLedger(7), "dirty"),
    (errors.MissingMigrationFile(8, "ledger", (6, 7)), "ahead"),
    (errors.MissingMigrationFile(5, "ledger", (4, 6)), "unknown-version"),
    (errors.OutOfOrderMigrations([3], ["3_a.up.sql"], 4, [4]), "out-of-order"),
    (errors.EditedMigrations([errors.EditedFile(1, "1_a.up.sql", "")]), "edited"),
    (errors.UnwrittenMigration(3, "3_c.up.sql"), "unwritten"),
    (errors.UnversionedDatabase("public", ["users"]), "unversioned"),
    (errors.ConnectionFailed("no"), "down"),
    (errors.DatabaseBusy(label="a.db", said="locked", waited=5), "locked"),
    (errors.LockNotAcquired(1.0), "locked"),
    (errors.ReadOnlyDatabase("no"), "read-only"),
    (errors.RightsMissing("no"), "refused"),
    (errors.PooledConnection("no"), "refused"),
    (errors.SourceNotFound("migrations", "no such folder"), "files"),
    (errors.Stopped((), "Nothing was run here.", ()), "stopped"),
]


@pytest.mark.parametrize(("error", "state"), STATES)
def test_each_error_is_a_state(error: errors.RungError, state: str) -> None:
    """A service is told what keeps it, in one line, and is not ready."""
    readiness = readiness_of_error(error)

    assert (readiness.ready, readiness.state) == (False, state)
    assert readiness.reason
    assert "\n" not in readiness.reason


STATED = {kind for kind, _ in _STATES} | {errors.MissingMigrationFile}
OF_A_RUN = {
    errors.MigrationFailed,
    errors.LedgerMoved,
    errors.LedgerDropped,
    errors.UnexpectedTransactionControl,
    errors.OwnWriteRefused,
}
REFUSED_AS_PLANNED = {errors.AtomicRefused, errors.CannotResume, errors.StoredSqlUnusable}
NOT_OF_A_SERVICE = {
    errors.UsageError,
    errors.ConfirmationRequired,
    errors.PlanChanged,
    errors.DownRefused,
    errors.RedoUnfinished,
    errors.StoredSqlUnconfirmed,
    errors.NotCertifiable,
    errors.VersionNotReached,
    errors.EmbeddedError,
}
"""What is raised before a service looks, or by commands that no service runs."""


def test_no_error_is_without_a_state() -> None:
    """Every kind of error has a state of its own, or is known to be a failed run."""
    bases = {errors.RungError, errors.RunError, errors.PlanError}
    known = tuple(STATED | OF_A_RUN | REFUSED_AS_PLANNED | NOT_OF_A_SERVICE)
    names = {kind for kind in vars(errors).values() if isinstance(kind, type)} - bases
    kinds = {kind for kind in names if issubclass(kind, errors.RungError)}

    assert {kind for kind in kinds if not issubclass(kind, known)} == set()


def test_a_dirty_database_says_what_to_do() -> None:
    """Where a person has to act, the probe says how."""
    assert "rung force" in readiness_of_error(errors.DirtyLedger(7)).reason


def test_pauses_grow_to_the_longest() -> None:
    """What costs a round trip is looked at soon, then every so often."""
    pauses = [pause_after("down", times, 15.0) for times in (1, 2, 3, 6, 100)]

    assert pauses == [0.5, 1.0, 2.0, 15.0, 15.0]


def test_a_refused_migration_is_tried_seldom() -> None:
    """A migration that locks tables each time is tried at growing distances, to five minutes."""
    pauses = [pause_after("failed", times, 15.0) for times in (1, 2, 5, 6, 100)]

    assert pauses == [15.0, 30.0, 240.0, 300.0, 300.0]
