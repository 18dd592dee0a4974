"""
Check what a run needs before it writes: SQL that can be read, a primary, tables to be trusted.

A file whose SQL cannot be read is refused here, while the database is still as it was.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING

from rung.errors import (
    AtomicRefused,
    LedgerElsewhere,
    PooledConnection,
    ReadOnlyDatabase,
    RightsMissing,
    ScriptError,
    TableRefused,
    TablesUntrusted,
    UsageError,
)
from rung.options import RUNG
from rung.planning.down_choice import EMPTY
from rung.planning.history_replay import replay
from rung.script import (
    Dialect,
    Mode,
    Script,
    cut_after_value,
    declared,
    foreign_marker,
    golang_migrate_refuses,
    made_table,
    minimum_compatible_version,
    needs_session,
    read,
    statement_by_statement,
    uses_new_value,
)
from rung.script.sqlite.foreign_keys import turned_off_by
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Inspection, Location, OtherWriters, TwinLedger
    from rung.drivers.transaction import TablesReady
    from rung.errors import ForeignMarker
    from rung.execution.command import Target
    from rung.options import RunOptions
    from rung.planning.plan import Plan, Step
    from rung.source import MigrationSet


_SHOWN = 3
"""How many privileges are named for each table; `doctor` names all."""


@dataclass(frozen=True, slots=True)
class PreparedStep:
    """A step with the SQL that it runs; an empty script where that file is missing."""

    step: Step
    script: Script

    @property
    def file(self) -> str:
        """The name of the file that runs; empty where it is missing."""
        return self.step.half.file if self.step.half else ""

    @property
    def is_last_down(self) -> bool:
        """Whether the step leads down to no version, and may drop our tables."""
        return self.step.after is None and self.step.direction is Direction.DOWN

    @property
    def result(self) -> str:
        """What comes of the step: applied or reverted; empty or not reverted where nothing runs."""
        if self.script.statements:
            return "applied" if self.step.direction is Direction.UP else "reverted"
        return self.step.passes or EMPTY

    @property
    def new_value(self) -> str:
        """What becomes of a file that seems to use a value it adds to an enum; else empty."""
        script = self.script
        found = uses_new_value(script)
        if found is None or script.mode is Mode.UNITS:
            return ""
        added, used = found
        what = f"line {used.line} uses a value that line {added.line} adds to an enum"
        whole = script.mode is Mode.TRANSACTIONAL
        if whole and cut_after_value(script, 1, used.number) is not None:
            return f"{what}: if the server rejects that, it runs in two transactions"
        return f"{what}: the server rejects that; move line {added.line} into an earlier migration"

    @property
    def foreign_marker(self) -> ForeignMarker | None:
        """Another tool's sign that the other direction follows in the file; None without one."""
        found = foreign_marker(self.script, down=self.step.direction is Direction.DOWN)
        return found and found.in_file(self.file)

    @property
    def golang_migrate_refuses(self) -> str:
        """Why golang-migrate could not run the file, in a sentence; empty where it could."""
        half = self.step.half
        marked = half is not None and half.byte_order_mark
        return golang_migrate_refuses(self.script, byte_order_mark=marked)


def prepare(
    plan: Plan, dialect: Dialect = Dialect.POSTGRES, options: RunOptions = RUNG
) -> tuple[PreparedStep, ...]:
    """
    Read each step's SQL, before any of it runs. Pure.

    Args:
        plan: what will run.
        dialect: the SQL that the database reads.
        options: whether each statement commits by itself, or all steps are one transaction.

    Raises:
        ScriptError: a file cannot be read (an open string, a BEGIN without COMMIT); with its name
            and line.
        UsageError, AtomicRefused: the steps cannot be one transaction.
    """
    prepared = tuple(PreparedStep(step, _read(step, dialect)) for step in plan.steps)
    for item in prepared if not options.runs_foreign_downs else ():
        if marker := item.foreign_marker:
            raise marker
    if options.each_statement:
        return tuple(replace(one, script=statement_by_statement(one.script)) for one in prepared)
    if options.atomic and prepared:
        _check_atomic(plan, prepared)
    return prepared


def _read(step: Step, dialect: Dialect) -> Script:
    if step.half is None:
        return read("", dialect)
    try:
        script = read(step.half.text, dialect)
        declared(script)
        if step.direction is Direction.UP:
            # What it says of older builds has to be understood by these.
            minimum_compatible_version(script)
    except ScriptError as error:
        raise error.in_file(step.half.file) from None
    return script


def _check_atomic(plan: Plan, prepared: Sequence[PreparedStep]) -> None:
    """Refuse a file that cannot be in one transaction with the others."""
    if plan.made_for.dirty:
        raise UsageError(
            "--atomic and --resume cannot be combined: the interrupted migration "
            "cannot be part of one transaction",
            "resume that migration first: `rung up 1 --resume`",
        )
    for number, item in enumerate(prepared, 1):
        if reason := _not_atomic(item, number == len(prepared), len(prepared) > 1):
            raise AtomicRefused(item.step.version, item.file, reason)


def _not_atomic(item: PreparedStep, last: bool, several: bool) -> str:  # noqa: FBT001 - two facts
    """Why a file cannot be in one transaction with others; empty where it can."""
    script = item.script
    if several and script.dialect is Dialect.SQLITE and (one := turned_off_by(script)):
        return (
            f"PRAGMA foreign_keys on line {one.line} turns foreign keys off, which SQLite does "
            "only before a transaction"
        )
    if script.mode is not Mode.TRANSACTIONAL:
        return script.reason
    for one in script.statements:
        if one.words[:2] == ("SET", "TRANSACTION"):
            return f"SET TRANSACTION on line {one.line} is for a transaction of its own"
    if script.dialect is Dialect.SQLITE and script.touches_session and not last:
        return "it changes its session, which cannot be reset inside a transaction"
    return ""


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
