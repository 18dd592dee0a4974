"""
A ledger of the same files in another schema, where the one of this call is missing.

A migration, or somebody else, may change the search path of database or role. The next run would
find no ledger there, make a second one and run everything again.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from rung.applied import replay
from rung.errors import LedgerElsewhere

if TYPE_CHECKING:
    from rung.drivers.base import Session
    from rung.drivers.found import TwinLedger
    from rung.migrations import MigrationSet


def check_no_twin(session: Session, migrations: MigrationSet, second: str = "") -> None:
    """
    Refuse to make a ledger where another schema has one whose history is of these files.

    Args:
        session: where it tells of no ledger in another schema, there is nothing to refuse.
        migrations: the files there are now.
        second: the command that makes a second ledger, in backticks; empty for that by its name.

    Raises:
        LedgerElsewhere: that is so.
    """
    found = [twin.table for twin in session.twin_ledgers() if _is_of(twin, migrations)]
    if not found:
        return
    ours = session.locate().ledger
    raise LedgerElsewhere(
        f"there is no ledger {ours}, and the history beside {' and '.join(found)} is of these "
        "files: the search path is another than it was",
        f"name that one, as in `rung status --ledger-table {quote(found[0])}`, or make a second "
        f"ledger: {second or f'`--ledger-table {quote(ours)}`'}",
    )


def twins_warning(session: Session) -> str:
    """What is to be known of the ledgers in other schemas; empty where there are none."""
    twins = session.twin_ledgers()
    if not twins:
        return ""
    named = ", ".join(twin.table for twin in twins)
    return (
        f"there is no ledger {session.locate().ledger}, and this database has {named}; "
        "`--ledger-table SCHEMA.NAME` says which is meant"
    )


def _is_of(twin: TwinLedger, migrations: MigrationSet) -> bool:
    """Whether all that is applied by a history is in these files, under the same titles."""
    applied = replay(twin.history)
    files = migrations.by_version
    return bool(applied) and all(
        version in files and files[version].name == held.name for version, held in applied.items()
    )
