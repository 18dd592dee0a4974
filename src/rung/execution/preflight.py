"""Check what a run needs before it writes: a primary, a session, tables that can be trusted."""

from __future__ import annotations

from contextlib import suppress
from shlex import quote
from typing import TYPE_CHECKING

from rung.errors import (
    LedgerElsewhere,
    PooledConnection,
    ReadOnlyDatabase,
    RightsMissing,
    ScriptError,
    TableRefused,
    TablesUntrusted,
)
from rung.planning.history_replay import replay
from rung.script import made_table, needs_session, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection, Location, OtherWriters, TwinLedger
    from rung.drivers.transaction import TablesReady
    from rung.execution.command import Target
    from rung.execution.prepare import PreparedStep
    from rung.script.dialect import Dialect
    from rung.source import MigrationSet


_SHOWN = 3
"""How many privileges are named for each table; `doctor` names all."""


def check_writable(target: Target, place: Location) -> None:
    """
    Refuse a database that cannot be written.

    Raises:
        ReadOnlyDatabase: a standby, or a session that takes no writes.
    """
    shown = target.driver.label
    if place.read_only:
        raise ReadOnlyDatabase(
            f"{shown} is read-only: a standby, a read-only session or a read-only file",
            "connect to the primary, with a role and settings that may write, or make the file "
            "writable",
        )


def check_pooler_safe(target: Target, place: Location, prepared: Sequence[PreparedStep]) -> None:
    """
    Refuse files that need one session, behind a pooler that gives none.

    Raises:
        PooledConnection: there is such a file.
    """
    if not place.pooled:
        return
    for item in prepared:
        if why := needs_session(item.script, place.loose):
            raise PooledConnection(
                f"{item.file} cannot run behind a pooler ({target.driver.label}): {why}",
                (
                    "connect to the server itself for this run, not through the pooler (often "
                    "port 5432)"
                ),
            )


def others_warning(writers: OtherWriters) -> str:
    """Make the warning of other roles that may write our tables; empty if there are none."""
    tables = {"ledger": writers.ledger, "history": writers.history, "lease": writers.lease}
    said = [f"the {table} ({'; '.join(ways[:_SHOWN])})" for table, ways in tables.items() if ways]
    if not said:
        return ""
    return (
        f"other roles may write {', '.join(said)}: what they write there is indistinguishable "
        "from Rung's rows, and stored SQL does not run without being shown. `rung doctor` "
        "prints the SQL that revokes these rights"
    )


def check_trusted(inspection: Inspection) -> None:
    """
    Refuse tables of ours that cannot be written without running code of less privileged roles.

    Raises:
        TablesUntrusted: they cannot, or rows of them are hidden.
    """
    if inspection.obstacles:
        raise TablesUntrusted(
            "; ".join(one.cause for one in inspection.obstacles), inspection.obstacles[0].advice
        )


def check_kept(ready: TablesReady) -> None:
    """
    Refuse to continue without a history, for what only the history records.

    Raises:
        TableRefused: a rule of the database refuses the history.
    """
    if ready.no_history:
        raise TableRefused(f"this is recorded only in the history, and {ready.no_history}")


def check_recordable(inspection: Inspection) -> None:
    """
    Refuse a database whose history cannot be written, for what only the history records.

    Raises:
        RightsMissing: it cannot be written.
    """
    if inspection.missing_grant:
        raise RightsMissing(
            "our role may not write the history, and this is recorded only there",
            f"grant it: {inspection.missing_grant}",
        )


def made_by(migrations: MigrationSet, dialect: Dialect) -> Callable[[str], bool]:
    """
    Return a function that says whether an up file creates a table of a name, in any schema.

    Only files with the name in their text are parsed.
    """

    def makes(name: str) -> bool:
        for migration in migrations.by_version.values():
            if migration.up is None or name.lower() not in migration.up.text.lower():
                continue
            with suppress(ScriptError):  # such a file will not run
                script = read(migration.up.text, dialect)
                if any(made_table(script, statement) == name for statement in script.statements):
                    return True
        return False

    return makes


def check_no_twin(session: Session, migrations: MigrationSet, second: str = "") -> None:
    """
    Refuse to create a ledger where another schema has one whose history is of these files.

    Args:
        session: read for the ledgers of other schemas.
        migrations: the files.
        second: the command that creates a second ledger, in backticks; empty for that by its name.

    Raises:
        LedgerElsewhere: there is one.
    """
    found = [twin.table for twin in _twin_ledgers(session) if _is_of(twin, migrations)]
    if not found:
        return
    ours = session.locate().ledger
    raise LedgerElsewhere(
        f"the ledger {ours} does not exist, but the history beside {' and '.join(found)} is of "
        "these files: search_path has changed",
        f"name that one, as in `rung status --ledger-table {quote(found[0])}`, or create a "
        f"second ledger: {second or f'`--ledger-table {quote(ours)}`'}",
    )


def twins_warning(session: Session) -> str:
    """Make the warning of ledgers in other schemas; empty if there are none."""
    twins = _twin_ledgers(session)
    if not twins:
        return ""
    named = ", ".join(twin.table for twin in twins)
    return (
        f"the ledger {session.locate().ledger} does not exist, but this database has {named}; "
        "`--ledger-table SCHEMA.NAME` names the one to use"
    )


def _twin_ledgers(session: Session) -> tuple[TwinLedger, ...]:
    provenance = session.capabilities.provenance
    return () if provenance is None else provenance.twin_ledgers()


def _is_of(twin: TwinLedger, migrations: MigrationSet) -> bool:
    """Whether every applied version of a history has a file here with the same title."""
    applied = replay(twin.history)
    files = migrations.by_version
    return bool(applied) and all(
        version in files and files[version].name == held.name for version, held in applied.items()
    )
