"""What the server says of a file is handed on without the file's secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import migrations

from rung.drivers.transaction import ExecutionResult, PartResult, ServerNotice, StatementFailure
from rung.errors import MigrationFailed, ServerMessage
from rung.execution import outcomes
from rung.execution.commit import redact_result
from rung.execution.preflight import prepare
from rung.integrations.readiness import readiness_of_error
from rung.ledger import LedgerState
from rung.planning.plan import Up, make_plan
from rung.render.errors import full_text
from rung.script import read

if TYPE_CHECKING:
    from rung.execution.preflight import PreparedStep

_SECRET = read("CREATE USER u PASSWORD 'hun''ter2';")


def test_every_field_of_a_refusal() -> None:
    """Raw or decoded; the code is kept."""
    said = ServerMessage("near 'hun''ter2'", "42601", "hun'ter2", "is hun'ter2", "line hun''ter2")
    failure = redact_result(
        ExecutionResult(failure=StatementFailure(said, statement=1)), _SECRET
    ).failure

    assert failure
    assert failure.server == ServerMessage("near '***'", "42601", "***", "is ***", "line ***")
    assert failure.statement == 1


def test_notices_and_warnings() -> None:
    """Severity and code are kept."""
    said = PartResult((ServerNotice("NOTICE", "00000", "made hun'ter2"),), "in hun'ter2")
    redacted = PartResult((ServerNotice("NOTICE", "00000", "made ***"),), "in ***")

    assert redact_result(ExecutionResult((said,)), _SECRET) == ExecutionResult((redacted,))


def test_a_secret_that_the_server_cut() -> None:
    """The rows that an error shows have 64 bytes of each value."""
    secret = "ü" * 40 + "z" * 60
    said = ServerMessage("no", "23514", f"Failing row contains ({secret[:32]}...).")
    ran = redact_result(
        ExecutionResult(failure=StatementFailure(said)),
        read(f"UPDATE users SET password = '{secret}';"),
    )

    assert ran.failure
    assert ran.failure.server.detail == "Failing row contains (***...)."


def test_a_secret_of_an_earlier_file() -> None:
    """The server quotes the SQL of a function that was made with it."""
    said = ServerMessage("no", context="SQL statement \"ALTER USER u PASSWORD 'hunter2'\"")
    found = ExecutionResult(failure=StatementFailure(said))
    ran = redact_result(found, read("SELECT f();"))

    assert ran.failure
    assert "hunter2" not in ran.failure.server.context


def test_a_short_secret_is_hidden_as_a_word() -> None:
    """Not wherever its letters stand."""
    said = ServerMessage('syntax error at or near "at"')
    found = ExecutionResult(failure=StatementFailure(said))
    ran = redact_result(found, read("CREATE USER u PASSWORD 'a';"))

    assert ran.failure
    assert ran.failure.server == said


@pytest.mark.parametrize(
    ("sql", "at", "column", "shown", "caret"),
    [
        ("ALTER USER u PASSWORD 'hunter2' BOGUS;", "BOGUS", 33, "BOGUS;", 29),
        ("ALTER USER u PASSWORD 'hunter2';", "'", 23, "'***';", 23),
        ("ALTER USER u PASSWORD 'hunter2';", "ter", 27, "***';", 27),
        ("SELECT 1;\nALTER USER u PASSWORD 'a\nhunter2' BOGUS;", "BOGUS", 10, "BOGUS;", 6),
    ],
)
def test_the_caret_is_below_what_it_was_below(
    sql: str, at: str, column: int, shown: str, caret: int
) -> None:
    """`column` is the file's; the caret goes by the line as it is shown."""
    error = outcomes.failed(
        (), _prepared(sql), LedgerState(1), StatementFailure(ServerMessage("no"), 1, sql.index(at))
    )
    assert isinstance(error, MigrationFailed)

    assert (error.place.column, error.place.caret) == (column, caret)
    assert error.place.excerpt.endswith(shown)
    assert "hunter2" not in full_text(error)
    assert re.match(rf"    \| {' ' * (caret - 1)}\^", error.place.lines()[-1])


def _prepared(sql: str) -> PreparedStep:
    (item,) = prepare(make_plan(Up(), migrations(up1=sql), LedgerState()))
    return item


@pytest.mark.parametrize(
    ("code", "message", "before", "named"),
    [
        ("42P07", 'relation "users" already exists', None, True),
        ("42710", 'type "mood" already exists', None, True),
        ("", "table users already exists", None, True),
        ("23505", 'violates unique constraint "pg_type_typname_nsp_index"', None, True),
        ("23505", 'violates unique constraint "users_pkey"', None, False),
        ("42601", "syntax error", None, False),
        ("42P07", 'relation "users" already exists', 1, False),
    ],
)
def test_tables_without_a_ledger_are_recorded_not_made(
    code: str, message: str, before: int | None, *, named: bool
) -> None:
    """The advice follows the code and the state: recording helps, editing the file does not."""
    item = _prepared("CREATE TABLE users (id int);")
    error = outcomes.failed(
        (), item, LedgerState(before), StatementFailure(ServerMessage(message, code), 1)
    )

    assert ("`rung force V`" in readiness_of_error(error).reason) == named
    assert ("no force is needed" in error.hint) != named


@pytest.mark.parametrize(
    ("sql", "code", "message", "shared"),
    [
        ("CREATE ROLE app;", "42710", "Rolle »app« existiert bereits", True),
        ("create user app;", "42710", 'role "app" already exists', True),
        ("DO $$ BEGIN CREATE ROLE app; END $$;", "42710", 'role "app" already exists', True),
        ("CREATE DATABASE other;", "42P04", 'database "other" already exists', True),
        ("CREATE TYPE role AS ENUM ();", "42710", 'type "role" already exists', False),
    ],
)
def test_what_belongs_to_the_server_says_nothing_of_a_database(
    sql: str, code: str, message: str, *, shared: bool
) -> None:
    """A role that is there already was not necessarily made by these migrations."""
    failure = StatementFailure(ServerMessage(message, code), 1)
    advice = outcomes.failed((), _prepared(sql), LedgerState(), failure).hint

    assert ("belongs to the whole server" in advice) == shared
    assert ("`rung force V`" in advice) != shared
