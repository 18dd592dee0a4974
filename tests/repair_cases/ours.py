"""Dirty databases that Rung itself leaves: files that cannot be one transaction, cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.repair_cases.golang import EQUAL_ROWS, NO_USERS, USERS
from tests.repair_cases.model import Case, Expected

if TYPE_CHECKING:
    from tests.repair_cases.stage import Stage

_HOLD_USERS = "LOCK TABLE users IN ACCESS EXCLUSIVE MODE"
_OLD_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM users"
_INDEX = "CREATE INDEX CONCURRENTLY users_email ON users (email);"
_FILL = """
CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$
BEGIN INSERT INTO users VALUES (3, 'c'); COMMIT; LOCK TABLE gate; END $$;
CREATE TABLE gate (x int);
"""


def _begun(stage: Stage, up: str, down: str, *, first: str = USERS) -> None:
    stage.write(1, first, NO_USERS)
    stage.write(2, up, down)
    stage.go_to(1)


def _cancelled(stage: Stage, holding: str = _HOLD_USERS) -> None:
    """Go up, and cancel the statement that waits for what is held."""
    with stage.holding(holding), stage.runging("up") as process:
        stage.await_blocked()
        stage.cancel(process)


def _killed(stage: Stage, holding: str, *words: str) -> None:
    """Go up, and kill it in the statement that waits for what is held."""
    with stage.holding(holding), stage.runging("up", *words) as process:
        stage.await_blocked()
        stage.kill(process)


def fails_on_rows(stage: Stage) -> None:
    """The second transaction of a file fails on the rows that are there."""
    up = "BEGIN;\nCREATE TABLE orders (id int);\nALTER TABLE users ADD COLUMN age int;\nCOMMIT;\n"
    _begun(
        stage,
        f"{up}BEGIN;\nCREATE UNIQUE INDEX users_email ON users (email);\nCOMMIT;",
        "DROP INDEX users_email;\nALTER TABLE users DROP COLUMN age;\nDROP TABLE orders;",
    )
    stage.ask(EQUAL_ROWS)
    stage.rung("up")


def killed_in_a_concurrent_build(stage: Stage) -> None:
    """It was killed while an index was being built concurrently."""
    _begun(stage, f"CREATE TABLE orders (id int);\n{_INDEX}", "DROP TABLE orders;")
    _killed(stage, _OLD_SNAPSHOT)


def killed_in_vacuum(stage: Stage) -> None:
    """It was killed in VACUUM, of which nothing is left to see."""
    up = "CREATE TABLE orders (id int);\nVACUUM (FULL) users;\nCREATE TABLE items (id int);"
    _begun(stage, up, "DROP TABLE items;\nDROP TABLE orders;")
    _killed(stage, _HOLD_USERS)


def killed_in_a_procedure(stage: Stage) -> None:
    """It was killed in a procedure that commits inside."""
    up = "CREATE TABLE orders (id int);\nCALL fill();\nCREATE TABLE items (id int);"
    _begun(stage, up, "DROP TABLE items;\nDROP TABLE orders;", first=USERS + _FILL)
    _killed(stage, "LOCK TABLE gate IN ACCESS EXCLUSIVE MODE")


def second_transaction_cancelled(stage: Stage) -> None:
    """The second of the file's own transactions was cancelled."""
    up = "BEGIN;\nCREATE TABLE orders (id int);\nCOMMIT;\nBEGIN;\n"
    _begun(
        stage,
        up + "ALTER TABLE users ADD COLUMN age int;\nCOMMIT;",
        "ALTER TABLE users DROP COLUMN age;\nDROP TABLE orders;",
    )
    _cancelled(stage)


def enum_value_without_its_use(stage: Stage) -> None:
    """An enum has its new value, and the statement that uses it was cancelled."""
    up = "BEGIN;\nALTER TYPE mood ADD VALUE 'great';\nCOMMIT;\n"
    _begun(
        stage,
        f"{up}BEGIN;\nALTER TABLE users ALTER COLUMN now SET DEFAULT 'great';\nCOMMIT;",
        "ALTER TABLE users ALTER COLUMN now DROP DEFAULT;",
        first="CREATE TYPE mood AS ENUM ('sad', 'ok');\nCREATE TABLE users (now mood);",
    )
    _cancelled(stage)


def late_one_killed(stage: Stage) -> None:
    """A late file, below the newest that is applied, was killed in its concurrent build."""
    stage.write(1, USERS, NO_USERS)
    stage.write(3, "CREATE TABLE items (id int);", "DROP TABLE items;")
    stage.go_to(3)
    stage.write(2, f"CREATE TABLE orders (id int);\n{_INDEX}", "DROP TABLE orders;")
    _killed(stage, _OLD_SNAPSHOT, "--allow-out-of-order", "2")


def finished_by_hand(stage: Stage) -> None:
    """What a cancelled file had left to do was done by hand since."""
    up = "BEGIN;\nCREATE TABLE orders (id int);\nCOMMIT;\n"
    up += "BEGIN;\nALTER TABLE users ADD COLUMN age int;\nCOMMIT;"
    _begun(stage, up, "DROP TABLE orders;")
    _cancelled(stage)
    stage.ask("ALTER TABLE users ADD COLUMN age int")


def down_cancelled(stage: Stage) -> None:
    """A down was cancelled in the second of its transactions."""
    up = "CREATE TABLE orders (id int);\nALTER TABLE users ADD COLUMN age int;"
    down = "BEGIN;\nDROP TABLE orders;\nCOMMIT;\n"
    down += "BEGIN;\nALTER TABLE users DROP COLUMN age;\nCOMMIT;"
    _begun(stage, up, down)
    stage.go_to(2)
    with stage.holding(_HOLD_USERS), stage.runging("down", "--yes") as process:
        stage.await_blocked()
        stage.cancel(process)


def roll_back_refused(stage: Stage) -> None:
    """A repair did not roll back, for a view that it would have met and that is gone since."""
    up = "ALTER TABLE users ADD COLUMN age int;\nCREATE UNIQUE INDEX CONCURRENTLY "
    _begun(stage, f"{up}users_email ON users (email);", "ALTER TABLE users DROP COLUMN age;")
    stage.ask(EQUAL_ROWS)
    stage.rung("up")
    stage.ask("CREATE VIEW aged AS SELECT age FROM users")
    stage.rung("repair", "--yes")
    stage.ask("DROP VIEW aged")


_EXPECTED = {
    fails_on_rows: Expected("up", 4, "roll back", 1),
    killed_in_a_concurrent_build: Expected("up", 1, "resume", 2, half=2),
    killed_in_vacuum: Expected("up", 1, "resume", 2),
    killed_in_a_procedure: Expected("up", None, "resume", 2, open=(2,), said=2),
    second_transaction_cancelled: Expected("up", 3, "resume", 2),
    enum_value_without_its_use: Expected("up", 3, "resume", 2),
    late_one_killed: Expected("up", 1, "resume", 3, half=2),
    finished_by_hand: Expected("up", 6, "mark", 2),
    roll_back_refused: Expected("up", 1, "roll back", 1, half=2),
    down_cancelled: Expected("down", 3, "resume", 1),
}

CASES = tuple(
    Case(make.__name__.replace("_", "-"), f"Rung: {make.__doc__ or ''}", make, expected)
    for make, expected in _EXPECTED.items()
)
