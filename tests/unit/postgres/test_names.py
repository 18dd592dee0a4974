"""The names of ledger and history: what is read, and what is refused."""

from __future__ import annotations

import pytest

from rung.drivers.postgres.names import Names, Table, names_of
from rung.errors import UsageError


@pytest.mark.parametrize(
    ("text", "table", "shown"),
    [
        ("versions", Table(None, "versions"), "versions"),
        ("Versions", Table(None, "Versions"), "Versions"),
        ("ops.versions", Table("ops", "versions"), "ops.versions"),
        ('"ops.versions"', Table(None, "ops.versions"), '"ops.versions"'),
        ('"a.b"."c""d"', Table("a.b", 'c"d'), '"a.b"."c""d"'),
        ('"ops".versions', Table("ops", "versions"), "ops.versions"),
        ("with space; --", Table(None, "with space; --"), '"with space; --"'),
        ("größe.漢字", Table("größe", "漢字"), "größe.漢字"),
    ],
)
def test_a_name(text: str, table: Table, shown: str) -> None:
    """Names are taken literally, and shown as they can be given again."""
    read = names_of(text).ledger

    assert (read, str(read)) == (table, shown)
    assert names_of(shown).ledger == table


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a.b.c", '"a', 'a"b', '"a"b', '""', '"a"."b"."c"', "a\0b"]
)
def test_no_name(text: str) -> None:
    """What cannot be read is refused before anything is asked of a database."""
    with pytest.raises(UsageError, match="no name of a table for the ledger"):
        names_of(text)
    with pytest.raises(UsageError, match="no name of a table for the history"):
        names_of(None, text)


def test_the_usual_names() -> None:
    """Without a word the ledger is golang-migrate's, and both stand in the current schema."""
    names = names_of()

    assert names == Names()
    assert [table.sql for table in names] == [
        '"schema_migrations"',
        '"schema_migrations_history"',
    ]
    assert names.at("s").history == Table("s", "schema_migrations_history")


@pytest.mark.parametrize(
    ("ledger", "history", "expected"),
    [
        ("ops.v", None, Table("ops", "v_history")),
        ("ops.v", "h", Table("ops", "h")),
        ("ops.v", "log.h", Table("log", "h")),
        (None, "log.h", Table("log", "h")),
    ],
)
def test_the_history_stands_beside_the_ledger(
    ledger: str | None, history: str | None, expected: Table
) -> None:
    """The history is in the ledger's schema unless it names another."""
    assert names_of(ledger, history).history == expected


def test_a_named_schema_stays() -> None:
    """The current schema fills in only what was left out."""
    assert names_of("ops.v", "log.h").at("public") == names_of("ops.v", "log.h")


@pytest.mark.parametrize("ledger", ["x" * 64, "é" * 32, f"{'s' * 64}.x"])
def test_a_name_too_long(ledger: str) -> None:
    """PostgreSQL would cut it off, and find another table, or its own, by chance."""
    with pytest.raises(UsageError, match="63 bytes"):
        names_of(ledger)


def test_a_ledger_whose_history_would_be_too_long() -> None:
    """A long ledger needs a history with a name of its own."""
    with pytest.raises(UsageError, match="too long a name for the history") as raised:
        names_of("x" * 63)

    assert "--history-table" in raised.value.advice
    assert names_of("x" * 63, "h").history == Table(None, "h")


@pytest.mark.parametrize(("ledger", "history"), [("a", "a"), ("s.a", "a"), ("s.a", "s.a")])
def test_one_table_cannot_be_both(ledger: str, history: str) -> None:
    """Ledger and history are two tables."""
    with pytest.raises(UsageError, match="both"):
        names_of(ledger, history)


@pytest.mark.parametrize(
    ("ledger", "history", "expected"),
    [
        (None, None, Table(None, "schema_migrations_lease")),
        ("ops.v", "log.h", Table("ops", "v_lease")),
        ("é" * 31, "h", Table(None, "é" * 28 + "_lease")),
    ],
)
def test_the_lease_stands_beside_the_ledger(
    ledger: str | None, history: str | None, expected: Table
) -> None:
    """All who share a ledger find the same one; its name fits, whole letters kept."""
    assert names_of(ledger, history).lease == expected


@pytest.mark.parametrize(("ledger", "history"), [("v", "v_lease"), ("x" * 57 + "_lease", "h")])
def test_the_lease_is_a_third_table(ledger: str, history: str) -> None:
    """Neither ledger nor history may have its name."""
    with pytest.raises(UsageError, match="_lease is the name of the lease"):
        names_of(ledger, history)
