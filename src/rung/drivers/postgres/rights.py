"""
What our role may do at ledger, history and lease, and the grants that are missing. Pure.

golang-migrate needs SELECT, INSERT and TRUNCATE on the ledger. With these we write it too;
UPDATE and DELETE in place of TRUNCATE spare readers from waiting for us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.drivers.postgres import quoting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.drivers.postgres.names import Names, Table

_BY_ROW = ("SELECT", "INSERT", "UPDATE", "DELETE")
_BY_TRUNCATE = ("SELECT", "INSERT", "TRUNCATE")
_HISTORY = ("SELECT", "INSERT", "UPDATE")
_LEASE = ("SELECT", "UPDATE")
_SCHEMA = ("USAGE", "CREATE")


class Here(NamedTuple):
    """What is there of a table, and what our role may do with it."""

    rights: frozenset[str] | None = None
    """None where there is no such table."""
    schema_rights: frozenset[str] | None = None
    """None where not even its schema is there."""

    @property
    def exists(self) -> bool:
        """Whether the table is there."""
        return self.rights is not None


class Rights(NamedTuple):
    """What our role may do."""

    role: str = ""
    ledger: Here = Here()
    history: Here = Here()
    lease: Here = Here()

    @property
    def by_truncate(self) -> bool:
        """Whether the ledger can be written by TRUNCATE and INSERT alone."""
        return bool(self.ledger_missing(_BY_ROW)) and not self.ledger_missing(_BY_TRUNCATE)

    @property
    def may_write_ledger(self) -> bool:
        """Whether the ledger is there and can be written."""
        if self.ledger.rights is None:
            return False
        return not self.ledger_missing(_BY_ROW) or not self.ledger_missing(_BY_TRUNCATE)

    @property
    def may_write_history(self) -> bool:
        """Whether the history is there and can be written."""
        return self.history.exists and not _lacking(_HISTORY, self.history.rights)

    def ledger_missing(self, wanted: Iterable[str] = _BY_ROW) -> list[str]:
        """Which of these rights on the ledger are missing."""
        return _lacking(wanted, self.ledger.rights)

    def grants_for_ledger(self, names: Names) -> str:
        """What has to be granted so that the ledger can be written; empty where it can be."""
        if not self.ledger.exists:
            return self._on_schema(names.ledger, self.ledger, _SCHEMA)
        return "" if self.may_write_ledger else self._on_table(names.ledger, self.ledger, _BY_ROW)

    def grants_for_reading(self, names: Names) -> str:
        """What has to be granted so that the ledger can be read."""
        return self._on_table(names.ledger, self.ledger, ("SELECT",))

    def grants_for_history(self, names: Names) -> str:
        """What has to be granted so that a history can be written; empty where it can be."""
        if not self.history.exists:
            return self._on_schema(names.history, self.history, _SCHEMA)
        return self._on_table(names.history, self.history, _HISTORY)

    def grants_for_lease(self, names: Names) -> str:
        """What has to be granted so that the lease can be taken; empty where it can be."""
        if not self.lease.exists:
            return self._on_schema(names.lease, self.lease, _SCHEMA)
        return self._on_table(names.lease, self.lease, _LEASE)

    def _on_table(self, table: Table, here: Here, wanted: Iterable[str]) -> str:
        lacking = _lacking(wanted, here.rights)
        given = f"GRANT {', '.join(lacking)} ON TABLE {table.sql} TO {self._role};"
        usage = self._on_schema(table, here, ("USAGE",))
        return " ".join(filter(None, (usage, given if lacking else "")))

    def _on_schema(self, table: Table, here: Here, wanted: Iterable[str]) -> str:
        """Nothing where the schema is not there: a grant would not mend that."""
        lacking = [] if here.schema_rights is None else _lacking(wanted, here.schema_rights)
        if not lacking or table.schema is None:
            return ""
        schema = quoting.name(table.schema)
        return f"GRANT {', '.join(lacking)} ON SCHEMA {schema} TO {self._role};"

    @property
    def _role(self) -> str:
        return quoting.name(self.role)


def _lacking(wanted: Iterable[str], rights: frozenset[str] | None) -> list[str]:
    return [right for right in wanted if right not in (rights or ())]
