"""What every driver keeps about its database's schema as a snapshot, as tests to inherit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract.subject import Ground

from rung.snapshot import Aspect, Snapshot, diff_tree, differences, possible_renames

if TYPE_CHECKING:
    from tests.contract.subject import Subject

    from rung.drivers.contract import Session

MADE = (
    "CREATE TABLE t (x int NOT NULL, y text DEFAULT 'a', CHECK (x > 0));"
    " CREATE INDEX i ON t (y); CREATE VIEW v AS SELECT x FROM t;"
)
_CHANGES = {
    "ALTER TABLE t ADD COLUMN z int": ["t.z"],
    "DROP INDEX i": ["index"],
    "DROP VIEW v": ["v"],
    "CREATE UNIQUE INDEX j ON t (x)": ["j"],
    "CREATE TABLE u (x int)": ["u"],
}


class SnapshotContract(Ground):
    """Inherit, and give `subject`."""

    def test_our_own_tables_are_no_part_of_a_snapshot(
        self, subject: Subject, ready: Session
    ) -> None:
        """Ledger, history and lease, with all that belongs to them, are left out."""
        subject.ask("CREATE TABLE IF NOT EXISTS schema_migrations_lease (x int PRIMARY KEY)")
        text = ready.snapshot().text

        assert "schema_migrations" not in text
        assert "version_unique" not in text

    @pytest.mark.parametrize(("change", "named"), _CHANGES.items(), ids=list(_CHANGES))
    def test_a_change_is_seen(
        self, subject: Subject, ready: Session, change: str, named: list[str]
    ) -> None:
        """Whatever is made or removed makes another fingerprint, and is named."""
        _do(subject, MADE)
        before = ready.snapshot()
        _do(subject, change)
        after = ready.snapshot()

        found = [one.identity for one in differences(before, after)]
        assert after.fingerprint != before.fingerprint
        assert [name for name in named if not any(name in one for one in found)] == []

    def test_rows_are_no_part_of_a_snapshot(self, subject: Subject, ready: Session) -> None:
        """Data may change, and the fingerprint stays."""
        _do(subject, MADE)
        before = ready.snapshot()
        _do(subject, "INSERT INTO t VALUES (1, 'b')")

        assert before != Snapshot()
        assert ready.snapshot().fingerprint == before.fingerprint

    def test_a_column_that_was_put_back(self, subject: Subject, ready: Session) -> None:
        """Another order of the columns is a difference of its own kind, and the only one."""
        _do(subject, "CREATE TABLE t (x int, y text)")
        before = ready.snapshot()
        _do(subject, "ALTER TABLE t DROP COLUMN x; ALTER TABLE t ADD COLUMN x int")
        after = ready.snapshot()

        assert {one.aspect for one in differences(before, after)} == {Aspect.ORDER}
        assert before.without(Aspect.ORDER) == after.without(Aspect.ORDER)

    def test_one_column_more_is_no_other_order(self, subject: Subject, ready: Session) -> None:
        """A table that has one more column reports that column alone."""
        _do(subject, "CREATE TABLE t (x int, y text)")
        before = ready.snapshot()
        _do(subject, "ALTER TABLE t ADD COLUMN z int")

        assert [one.kind for one in differences(before, ready.snapshot())] == ["added"]

    def test_a_dropped_table_is_one_node(self, subject: Subject, ready: Session) -> None:
        """What belongs to the table stands below it in the tree."""
        _do(subject, MADE.partition(" CREATE VIEW")[0])
        before = ready.snapshot()
        _do(subject, "DROP TABLE t")

        (node,) = diff_tree(before, ready.snapshot())
        assert node.difference.identity.startswith("table ")
        assert any(child.difference.identity.startswith("index ") for child in node.children)

    def test_a_rename_is_offered(self, subject: Subject, ready: Session) -> None:
        """A table that is equal in all but its name is possibly the same one."""
        _do(subject, "CREATE TABLE t (x int, y text)")
        before = ready.snapshot()
        _do(subject, "ALTER TABLE t RENAME TO u")

        ((gone, new),) = possible_renames(before, ready.snapshot())
        assert gone.endswith("t")
        assert new.endswith("u")


def _do(subject: Subject, sql: str) -> None:
    for one in filter(str.strip, sql.split(";")):
        subject.ask(one)
