"""Values as commands show them, the same for every view."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from rung.diagnostics import Diagnostics, Problem
from rung.errors import (
    DirtyLedger,
    EditedFile,
    EditedMigrations,
    LockNotAcquired,
    MigrationFailed,
    MissingMigrationFile,
    OutOfOrderMigrations,
    PooledConnection,
    RungError,
    ServerMessage,
    SourceLocation,
    Stopped,
    StoredSqlUnusable,
    UnversionedDatabase,
)
from rung.execution.outcomes import RunReport, StepReport
from rung.execution.preflight import prepare
from rung.execution.run import PlanPreview
from rung.ledger import Attempt, LedgerState, Outcome
from rung.planning.history_replay import Applied, AppliedVersion
from rung.planning.plan import Goal, Up, make_plan
from rung.planning.status import Status, StatusLine
from rung.script.data_loss import find_data_loss
from rung.source import Migration, MigrationFile, MigrationSet

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=2)))

ONE = Migration(
    1,
    MigrationFile(
        "000001_users.up.sql", "users", "CREATE TABLE users (id int);\n-- why\nSELECT 1;\n"
    ),
    MigrationFile("000001_users.down.sql", "users", "DROP TABLE users;\n"),
)
TWO = Migration(
    2,
    MigrationFile(
        "000002_index.up.sql", "index", "CREATE INDEX CONCURRENTLY i ON users (id);\nSELECT 2;\n"
    ),
)
SET = MigrationSet("migrations", (ONE, TWO))

STATUS = Status(
    database="chat",
    schema="public",
    server="PostgreSQL 18.6",
    source="migrations",
    ledger=LedgerState(2, dirty=True),
    ledger_exists=True,
    history_exists=True,
    lines=(
        StatusLine(1, "users", "applied", WHEN, 0.0123, "0123456789abcdef", "rung"),
        StatusLine(2, "index", "dirty"),
        StatusLine(3, "größe", "pending"),
    ),
    warnings=("3_x.sql is ignored: a migration is named VERSION_NAME.up.sql",),
)


UNSETTLED = Status(
    database="chat",
    schema="public",
    server="PostgreSQL 18.6",
    source="migrations",
    ledger=LedgerState(9),
    ledger_exists=True,
    history_exists=True,
    lines=(
        StatusLine(1, "users", "applied", None, None, "0123456789abcdef", "another tool"),
        StatusLine(2, "index", "out of order", note="its file allows that; the next up applies it"),
        StatusLine(3, "rooms", "edited", WHEN, 0.0123, "0123456789abcdef", "rung"),
        StatusLine(4, "tags", "missing", WHEN, 0.0123, "0123456789abcdef", "rung"),
        StatusLine(9, "roles", "ahead", WHEN, 0.0123, "0123456789abcdef", "rung"),
    ),
    notes=("Another tool changed the ledger.",),
)


def entry(
    number: int, outcome: Outcome, error: str | None = None, direction: str = "up"
) -> Attempt:
    ran = direction == "up"
    return Attempt(
        id=number,
        attempt=f"00000000-0000-4000-8000-00000000000{number}",
        version=number,
        name="users",
        direction=direction,
        outcome=outcome,
        statements_total=2 * ran,
        statements_done=1 if error else 2 * ran,
        in_flight=None,
        started=WHEN,
        finished=WHEN + timedelta(seconds=75),
        error=error,
        up_checksum="0123456789abcdef",
        down_checksum=None,
        checksum_formula=1,
        up_digest="fedcba9876543210",
        down_digest=None,
        tool="another tool" if direction == "baseline" else "rung",
        tool_version="0.1.0",
        database_user="me",
        host="here",
    )


HEALTH = Diagnostics(
    "chat",
    dirty=True,
    problems=(
        Problem(
            "invalid index",
            "public.users_email",
            "The index on public.users (16 kB) is invalid because its build failed.",
            "REINDEX INDEX CONCURRENTLY public.users_email;",
        ),
        Problem(
            "dirty ledger",
            "public.schema_migrations",
            "The database is dirty at version 2.",
            "rung up --resume",
        ),
        Problem("unfinished attempt", "up 1", "Its run died.", harmless=True),
    ),
)
HISTORY = (
    entry(1, Outcome.DONE),
    entry(2, Outcome.FAILED, "no such table\nand more"),
    entry(3, Outcome.DONE, direction="baseline"),
    entry(4, Outcome.DONE, direction="edit"),
)

REPORT = RunReport(
    (StepReport(1, "users", "up", "000001_users.up.sql", "transactional", 2, 0.0123, "applied"),), 1
)

FAILED = MigrationFailed(
    (1,),
    "clean at version 1; the failed migration was rolled back",
    version=2,
    name="index",
    direction="up",
    place=SourceLocation("000002_index.up.sql", 3, 5, "\tü, nöpe", 5),
    server=ServerMessage('column "nöpe" does not exist', "42703", "a detail", "a hint"),
)
FAILED.again_by("rung up")

EDITED = EditedFile(
    3,
    "000003_rooms.up.sql",
    "--- 000003_rooms.up.sql as applied\n+++ 000003_rooms.up.sql now\n@@ -1,2 +1,2 @@\n"
    " CREATE TABLE rooms (\n-    id int\n+    id bigint",
)

STOPPED = Stopped((1,), "clean at version 1", (2, 3))
STOPPED.again_by("rung up 2")

ERRORS: dict[str, RungError] = {
    "migration-failed": FAILED,
    "dirty-ledger": DirtyLedger(2, "The history says: up of version 2 (index) began at noon."),
    "lock-not-acquired": LockNotAcquired(1.5, 'The lock is held by process 7, user "me".'),
    "out-of-order-migrations": OutOfOrderMigrations(
        (2,), ("000002_index.up.sql",), 9, (3, 4, 9), below=1, allowed=()
    ),
    "edited-migrations": EditedMigrations((EDITED,)),
    "missing-migration-file": MissingMigrationFile(
        9,
        "ledger",
        (1, 2, 3),
        "The history has it: roles, applied at noon from build-42.",
        reversible=True,
    ),
    "unversioned-database": UnversionedDatabase("public", ("rooms", "users")),
    "stored-sql-unusable": StoredSqlUnusable(9, "contains a secret, which is not stored"),
    "pooled-connection": PooledConnection(
        "9_a.up.sql cannot run behind a pooler (me@db:6432/chat): statement 1 (line 1) changes "
        "the session for what follows in another transaction",
        "connect to the server itself for this run, not through the pooler (often port 5432)",
    ),
    "stopped": STOPPED,
}


def preview(goal: Goal, version: int | None) -> PlanPreview:
    """A plan with its SQL read and its losses estimated."""
    plan = make_plan(goal, SET, LedgerState(version))
    prepared = prepare(plan)
    gone = (loss.counted(1200) for item in prepared for loss in find_data_loss(item.script))
    return PlanPreview(plan, prepared, tuple(gone))


def late_preview() -> PlanPreview:
    """The plan of a late migration that may run."""
    applied = Applied({2: AppliedVersion(2)})
    plan = make_plan(Up(allow_out_of_order=(1,)), SET, LedgerState(2), applied)
    return PlanPreview(plan, prepare(plan))
