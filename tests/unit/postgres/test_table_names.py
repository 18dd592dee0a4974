"""The names of ledger and history: what is read, and what is refused."""

from __future__ import annotations

import pytest

from rung.drivers.postgres.tables import Table, TableNames, names_of
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
    with pytest.raises(UsageError, match=r"table name for the ledger|ledger table is empty"):
        names_of(text)
    with pytest.raises(UsageError, match=r"table name for the history|history table is empty"):
        names_of(None, text)


@pytest.mark.parametrize("schema", ["pg_temp", "pg_temp_3", "pg_catalog", "information_schema"])
def test_a_schema_that_is_nobodys(schema: str) -> None:
    """No table of ours goes where it ends with the session, or among the server's own."""
    with pytest.raises(UsageError, match=r"ledger cannot be .* temporary or belongs to"):
        names_of(f"{schema}.versions")
    with pytest.raises(UsageError, match=r"history cannot be .* temporary or belongs to"):
        names_of(None, f"{schema}.h")


def test_the_usual_names() -> None:
    """Without a word the ledger is golang-migrate's, and both stand in the current schema."""
    names = names_of()

    assert names == TableNames(spare=Table(None, "rung_history"))
    assert (names.ledger.sql, names.history.sql) == (
        '"schema_migrations"',
        '"schema_migrations_history"',
    )
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


@pytest.mark.parametrize("ledger", ["x" * 63, "x" * 55 + "y", "é" * 31, "ops." + "q" * 60])
def test_what_stands_beside_a_long_ledger(ledger: str) -> None:
    """Every name fits, is found again by everybody, and is no other ledger's."""
    names, other = names_of(ledger), names_of(ledger[:-1] + "z")

    tables = [names.history, names.lease, names.spare]
    assert all(table and len(table.name.encode()) <= 63 for table in tables)
    assert len({*tables, other.history, other.lease, other.spare, names.ledger}) == 7
    assert names_of(ledger) == names
    assert names_of(ledger, "h").history.name == "h"


@pytest.mark.parametrize(
    ("ledger", "history", "spare"),
    [
        (None, None, "rung_history"),
        ("ops.v", None, "v_rung_history"),
        ("rung_history", None, "rung_history_rung_history"),
        (None, "h", None),
    ],
)
def test_the_spare_name(ledger: str | None, history: str | None, spare: str | None) -> None:
    """A history that nobody named has a second name, of its ledger alone."""
    found = names_of(ledger, history).spare

    assert (found and found.name) == spare


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
        ("é" * 28, "h", Table(None, "é" * 28 + "_lease")),
    ],
)
def test_the_lease_stands_beside_the_ledger(
    ledger: str | None, history: str | None, expected: Table
) -> None:
    """All who share a ledger find the same one; its name fits, whole letters kept."""
    assert names_of(ledger, history).lease == expected


def test_the_lease_is_a_third_table() -> None:
    """The history may not have its name."""
    with pytest.raises(UsageError, match="_lease is the name of Rung's lease table"):
        names_of("v", "v_lease")
