"""Dirty databases that golang-migrate leaves, made with its real command."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.repair_cases.model import Case, Expected

if TYPE_CHECKING:
    from tests.repair_cases.stage import Stage

USERS = "CREATE TABLE users (id int, email text);"
NO_USERS = "DROP TABLE users;"
EQUAL_ROWS = "INSERT INTO users VALUES (1, 'a'), (2, 'a')"
_UNEQUAL = "UPDATE users SET email = 'b' WHERE id = 2"
_HOLD_USERS = "LOCK TABLE users IN ACCESS EXCLUSIVE MODE"
_HOLD_LEDGER = "LOCK TABLE schema_migrations IN ACCESS SHARE MODE"
_LEDGER_AWAITED = (
    "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'schema_migrations'::regclass"
)
_MULTI = "&x-multi-statement=true"
_IMPATIENT = "&x-statement-timeout=300"
_ORDERS = "CREATE TABLE orders (id int);\nALTER TABLE users ADD COLUMN age int;"
_NO_ORDERS = "ALTER TABLE users DROP COLUMN age;\nDROP TABLE orders;"


def _begun(stage: Stage, up: str, down: str) -> None:
    """A first version that is applied, and a second that is not."""
    stage.write(1, USERS, NO_USERS)
    stage.write(2, up, down)
    assert stage.migrate("goto", "1").returncode == 0


def _killed_behind(stage: Stage, *words: str) -> None:
    """Kill it when the file has run, and the ledger is not clean yet."""
    with ExitStack() as holding:
        holding.enter_context(stage.holding(_HOLD_USERS))
        with stage.migrating(*words) as process:
            stage.await_blocked()
            with stage.holding(_HOLD_LEDGER):
                holding.close()
                stage.until(_LEDGER_AWAITED)
                stage.kill(process)


def one_message_fails(stage: Stage) -> None:
    """Three statements go as one message, and the last is wrong."""
    _begun(stage, f"{_ORDERS}\nUPDATE users SET ages = 1;", _NO_ORDERS)
    stage.migrate("up")


def second_transaction_fails(stage: Stage) -> None:
    """The first of two transactions of the file's own is committed, the second timed out."""
    up = "BEGIN;\nCREATE TABLE orders (id int);\nCOMMIT;\nBEGIN;\n"
    _begun(stage, up + "ALTER TABLE users ADD COLUMN age int;\nCOMMIT;", _NO_ORDERS)
    with stage.holding(_HOLD_USERS):
        stage.migrate("up", query=_IMPATIENT)


def killed_behind_the_file(stage: Stage) -> None:
    """All of the file ran, and the clean mark was not written."""
    _begun(stage, _ORDERS, _NO_ORDERS)
    _killed_behind(stage, "up")


def killed_in_the_file(stage: Stage) -> None:
    """It was killed while the file ran: the message is rolled back."""
    _begun(stage, _ORDERS, _NO_ORDERS)
    with stage.holding(_HOLD_USERS), stage.migrating("up") as process:
        stage.await_blocked()
        stage.kill(process)


def concurrent_build_fails(stage: Stage) -> None:
    """A unique index is built concurrently over rows that are equal."""
    _begun(
        stage,
        "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);",
        "DROP INDEX users_email;",
    )
    stage.ask(EQUAL_ROWS)
    stage.migrate("up")


def many_messages_stop(stage: Stage) -> None:
    """With x-multi-statement each statement commits, and the third timed out."""
    up = "CREATE TABLE orders (id int);\nCREATE TABLE items (id int);\n"
    down = "ALTER TABLE users DROP COLUMN age;\nDROP TABLE items;\nDROP TABLE orders;"
    _begun(stage, up + "ALTER TABLE users ADD COLUMN age int;", down)
    with stage.holding(_HOLD_USERS):
        stage.migrate("up", query=_MULTI + _IMPATIENT)


def down_fails(stage: Stage) -> None:
    """The down of the second version has a statement that is wrong."""
    _begun(stage, _ORDERS, "DROP TABLE orders;\nALTER TABLE users DROP COLUMN ages;")
    assert stage.migrate("up").returncode == 0
    stage.migrate("down", "1")


def killed_behind_the_down(stage: Stage) -> None:
    """All of the down ran, which leaves what the version below makes; no clean mark."""
    _begun(stage, _ORDERS, _NO_ORDERS)
    assert stage.migrate("up").returncode == 0
    _killed_behind(stage, "down", "1")


def last_down_fails(stage: Stage) -> None:
    """The down to no version fails: the ledger says -1."""
    stage.write(1, USERS, "DROP TABLE users;\nDROP TABLE people;")
    assert stage.migrate("up").returncode == 0
    stage.migrate("down", "1")


def rows_only(stage: Stage) -> None:
    """A file that changes rows alone fails."""
    _begun(stage, "UPDATE users SET id = id / 0;", "SELECT 1;")
    stage.ask(EQUAL_ROWS)
    stage.migrate("up")


def rows_behind_schema(stage: Stage) -> None:
    """A file that changes the schema, then rows, ran wholly; the clean mark was not written."""
    _begun(
        stage,
        "ALTER TABLE users ADD COLUMN age int;\nUPDATE users SET age = 1;",
        "ALTER TABLE users DROP COLUMN age;",
    )
    _killed_behind(stage, "up")


def with_drift(stage: Stage) -> None:
    """A file fails in a database to which somebody has added things by hand."""
    _begun(stage, f"{_ORDERS}\nUPDATE users SET ages = 1;", _NO_ORDERS)
    stage.ask("CREATE TABLE notes (id int); CREATE INDEX notes_id ON notes (id)")
    stage.migrate("up")


def edited_since(stage: Stage) -> None:
    """A file fails, and is fixed before anybody inspects the database."""
    _begun(stage, f"{_ORDERS}\nUPDATE users SET ages = 1;", _NO_ORDERS)
    stage.migrate("up")
    stage.write(2, f"{_ORDERS}\nUPDATE users SET age = 1;", _NO_ORDERS)


def mended_otherwise(stage: Stage) -> None:
    """A file fails, and somebody makes something by hand that it never would."""
    _begun(stage, f"{_ORDERS}\nUPDATE users SET ages = 1;", _NO_ORDERS)
    stage.migrate("up")
    stage.ask("CREATE TABLE orders (id text)")


_EXPECTED = {
    one_message_fails: Expected("up", 0, "mark", 1),
    second_transaction_fails: Expected("up", 3, "resume", 2),
    killed_behind_the_file: Expected("up", 2, "mark", 2),
    killed_in_the_file: Expected("up", 0, "mark", 1),
    concurrent_build_fails: Expected("up", 0, "resume", 2, half=1, fixed=_UNEQUAL),
    many_messages_stop: Expected("up", 2, "resume", 2),
    down_fails: Expected("down", 0, "mark", 2),
    killed_behind_the_down: Expected("up", 1, "mark", 1, version=1),
    last_down_fails: Expected("down", 0, "mark", 1, version=1),
    rows_only: Expected("up", None, "mark", 1, open=(1,), said=0),
    rows_behind_schema: Expected("up", None, "mark", 2, open=(2,), said=2),
    with_drift: Expected("up", 0, "mark", 1, drift=3),
    edited_since: Expected("up", 0, "mark", 1),
    mended_otherwise: Expected("up", None, None, None),
}
_DRIFT = {with_drift: ("notes",)}

CASES = tuple(
    Case(
        make.__name__.replace("_", "-"),
        f"golang-migrate: {make.__doc__ or ''}",
        make,
        expected,
        needs_golang_migrate=True,
        drift=_DRIFT.get(make, ()),
    )
    for make, expected in _EXPECTED.items()
)
