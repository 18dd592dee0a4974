"""The fixtures that other tests stand on give what they promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.servers import Database


def test_a_test_gets_a_database_of_its_own(database: Database, twin_database: Database) -> None:
    """
    Two databases of one test do not see each other's tables.
    """
    database.psql("create table here (id int); insert into here values (1)")

    assert database.psql("select id from here") == [(1,)]
    assert twin_database.psql("select to_regclass('here')") == [(None,)]


def test_prepared_transactions_are_to_be_had(database: Database) -> None:
    """
    The server takes PREPARE TRANSACTION, which a default server refuses.
    """
    database.psql("begin; create table kept (id int); prepare transaction 'p1'")
    database.psql("commit prepared 'p1'")

    assert database.psql("select to_regclass('kept')::text") == [("kept",)]
