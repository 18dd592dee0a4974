"""
Run files on scratch databases: the versions applied before, then a file by statements.

A file that runs in a transaction runs in one here too, because some statements work nowhere else;
the schema is read inside that transaction. Other files run as they are written.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rung.errors import QueryFailed, ScratchFailed, ScriptError, sqlstate
from rung.execution.commit import redact_result
from rung.repair import TrialResult, possible_states, undo_candidates
from rung.repair.cluster_wide import (
    creates_extension,
    creates_role,
    is_cluster_wide,
    is_outside_snapshots,
)
from rung.repair.model import comparable
from rung.script import Control, Dialect, Mode, Script, read
from rung.source import Direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.drivers.contract import Session
    from rung.drivers.inspection import Location
    from rung.drivers.transaction import StatementFailure
    from rung.repair import Candidate, StateMatch
    from rung.scratch import Scratch
    from rung.script import Statement
    from rung.snapshot import Snapshot
    from rung.source import MigrationFile, MigrationSet

_BLOCK = read("BEGIN; COMMIT")
_SAVEPOINT = read("SAVEPOINT rung_scratch; ROLLBACK TO rung_scratch")
_ABORTED_BLOCK = read("BEGIN; ROLLBACK")
_OPEN, _CLOSE = (1, 1), (2, 2)
_TRANSACTION_ENDS = (Control.COMMIT, Control.ROLLBACK)
_TRANSACTION_REFUSED = frozenset(
    {
        sqlstate.ACTIVE_SQL_TRANSACTION,
        sqlstate.INVALID_TRANSACTION_TERMINATION,
        sqlstate.UNSAFE_NEW_ENUM_VALUE_USAGE,
    }
)
"""The last one: the use of an enum value that the same transaction added."""
_UNAVAILABLE_EXTENSION = frozenset(
    {sqlstate.INSUFFICIENT_PRIVILEGE, sqlstate.UNDEFINED_FILE, sqlstate.FEATURE_NOT_SUPPORTED}
)
"""An extension needs a superuser, or the server does not have it."""


@dataclass(slots=True)
class _Observation:
    """The schema by the number of statements done, the failure, and the schema after it."""

    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    failure: StatementFailure | None = None
    broken: Snapshot | None = None


@dataclass(slots=True)
class ScratchRunner:
    """
    Run files on scratch databases, and read the schemas that they leave.

    Args:
        scratch: makes the databases.
        migrations: the files, and the stored texts of versions without files.
        location: of the live database; the schema of its ledger is created on scratch too.
    """

    scratch: Scratch
    migrations: MigrationSet
    location: Location
    _databases: dict[tuple[int, ...], str] = field(default_factory=dict)

    def try_candidate(self, candidate: Candidate) -> TrialResult:
        """
        Run a candidate's file on top of the versions applied before it.

        Raises:
            ScratchFailed: an applied version does not run on scratch.
        """
        script = self._read(candidate.migration.half(candidate.direction))
        base = self._base_database(candidate.base)
        observation = self._observe(base, script, in_transaction=True)
        if observation.failure and _cannot_run_in_transaction(observation.failure):
            observation = self._observe(base, script, in_transaction=False)
        _check_rights(candidate.file, script, observation.failure)
        states = possible_states(script, observation.snapshots, observation.broken)
        return TrialResult(candidate, script, states, _failure_text(script, observation.failure))

    def find_undo(self, finding: StateMatch) -> str | None:
        """Return SQL that restores the schema before the file; None where none does."""
        trial = finding.trial
        assert trial is not None
        file = trial.candidate.migration.down
        down = self._read(file) if file else None
        for sql in undo_candidates(finding, down):
            if self._restores_base(sql, finding, trial):
                return sql
        return None

    def _restores_base(self, sql: str, finding: StateMatch, trial: TrialResult) -> bool:
        try:
            undo = self._read_text(sql)
        except ScriptError:
            return False
        last = finding.partial or finding.done or 0
        name = self.scratch.copy(self._base_database(trial.candidate.base))
        with self.scratch.open(name) as session:
            failure = _run_statements(session, trial.script, last)
            if failure and failure.statement != finding.partial:
                return False
        with self.scratch.open(name) as session:
            if _run_statements(session, undo, len(undo.statements)):
                return False
            return comparable(session.snapshot()) == trial.states[0].snapshot

    def _observe(self, base: str, script: Script, *, in_transaction: bool) -> _Observation:
        """Read the schema after each statement, as far as the file runs."""
        observation = _Observation()
        with self.scratch.open(self.scratch.copy(base)) as session:

            def observe(number: int) -> None:
                observation.snapshots[number] = comparable(session.snapshot())

            last = len(script.statements)
            observation.failure = _run_statements(
                session, script, last, observe, in_transaction=in_transaction
            )
            if observation.failure:
                with suppress(QueryFailed):  # an aborted transaction leaves nothing to read
                    observation.broken = comparable(session.snapshot())
        return observation

    def _base_database(self, versions: tuple[int, ...]) -> str:
        """Return a database with these versions applied; create it from the longest prefix."""
        if versions not in self._databases:
            prefixes = [base for base in self._databases if versions[: len(base)] == base]
            longest = max(prefixes, key=len, default=())
            name = self.scratch.copy(self._databases[longest]) if prefixes else self._new_database()
            with self.scratch.open(name) as session:
                for version in versions[len(longest) :]:
                    self._apply(session, version)
            self._databases[versions] = name
        return self._databases[versions]

    def _new_database(self) -> str:
        name = self.scratch.new()
        with self.scratch.open(name) as session:
            if self.location.dialect is not Dialect.SQLITE:
                schema = '"' + self.location.schema.replace('"', '""') + '"'
                session.run_unrecorded(read(f"CREATE SCHEMA IF NOT EXISTS {schema}"), 1, 1)
            session.prepare_tables()
        return name

    def _apply(self, session: Session, version: int) -> None:
        migration = self.migrations.by_version.get(version)
        file = migration.half(Direction.UP) if migration else None
        if file is None:
            return  # golang-migrate too skips a missing file
        script = self._read(file)
        last = len(script.statements)
        failure = _run_statements(session, script, last)
        if failure and _cannot_run_in_transaction(failure):
            session.run_unrecorded(_ABORTED_BLOCK, *_CLOSE)
            failure = _run_statements(session, script, last, in_transaction=False)
        if failure is None:
            if script.touches_session:
                session.reset()
            return
        _check_rights(file.file, script, failure)
        why = _failure_text(script, failure)
        raise ScratchFailed(
            f"{file.file}, which is applied, does not run on scratch: {why}",
            "name a server on which it does with --scratch URL (the same version, extensions "
            "and roles), or repair the database by hand and record that: `rung force V`",
        )

    def _read(self, file: MigrationFile | None) -> Script:
        if file is None:
            return self._read_text("")
        try:
            return self._read_text(file.text)
        except ScriptError as error:
            raise error.in_file(file.file) from None

    def _read_text(self, text: str) -> Script:
        return read(text, self.location.dialect)


def _run_statements(
    session: Session,
    script: Script,
    last: int,
    observe: Callable[[int], None] = lambda _: None,
    *,
    in_transaction: bool = True,
) -> StatementFailure | None:
    """
    Run the first statements of a script.

    Args:
        session: on a scratch database.
        script: the file's script.
        last: the number of the last statement to run.
        observe: called with the number of statements done, first with 0.
        in_transaction: whether statements that may run in one transaction do.
    """
    opens, closes = _transaction_bounds(script, last) if in_transaction else (set(), set())
    inside = False
    observe(0)
    for statement in script.statements[:last]:
        if statement.number in opens:
            session.run_unrecorded(_BLOCK, *_OPEN)
            inside = True
        if failure := _run_statement(session, script, statement, inside=inside):
            return failure
        observe(statement.number)
        if statement.number in closes:
            failure = session.run_unrecorded(_BLOCK, *_CLOSE).failure
            if failure:
                return replace(failure, statement=None)
        ended = statement.number in closes or statement.control in _TRANSACTION_ENDS
        inside = (inside or statement.control is Control.BEGIN) and not ended
    return None


def _transaction_bounds(script: Script, last: int) -> tuple[set[int], set[int]]:
    """Return before which of the first statements a transaction begins, and after which it ends."""
    if script.dialect is Dialect.SQLITE and script.mode is not Mode.TRANSACTIONAL:
        return set(), set()
    units = [unit for unit in script.units if unit.first <= last and unit.transaction != "none"]
    begins = {one.number for one in script.statements if one.control is Control.BEGIN}
    closes = {min(unit.last, last) for unit in units if unit.transaction == "ours"}
    return {unit.first for unit in units} - begins, closes


def _run_statement(
    session: Session, script: Script, statement: Statement, *, inside: bool
) -> StatementFailure | None:
    """Run one statement; skip it where it fails only because scratch lacks or has something."""
    if is_cluster_wide(statement):
        return None
    tolerated, number = _tolerated_states(script, statement), statement.number
    if tolerated and inside:
        session.run_unrecorded(_SAVEPOINT, *_OPEN)
    failure = redact_result(session.run_unrecorded(script, number, number), script).failure
    if failure and failure.server.sqlstate in tolerated:
        if inside:
            session.run_unrecorded(_SAVEPOINT, *_CLOSE)
        return None
    return failure


def _tolerated_states(script: Script, statement: Statement) -> frozenset[str]:
    """
    Return the SQLSTATEs with which a statement may fail on scratch.

    A role belongs to the whole server and may exist already, as may an extension that only a
    superuser can create. Files run without superuser rights on scratch.
    """
    tolerated = (
        {sqlstate.DUPLICATE_OBJECT}
        if creates_role(statement) or creates_extension(statement)
        else set()
    )
    if is_outside_snapshots(statement, script.text[statement.start : statement.end]):
        tolerated |= {sqlstate.INSUFFICIENT_PRIVILEGE}
    return frozenset(tolerated)


def _check_rights(file: str, script: Script, failure: StatementFailure | None) -> None:
    """
    Check that a statement did not fail only for lack of rights on scratch.

    Raises:
        ScratchFailed: it needs rights that files do not have there.
    """
    if failure is None or failure.statement is None:
        return
    state = failure.server.sqlstate
    extension = creates_extension(script.statements[failure.statement - 1])
    if state == sqlstate.INSUFFICIENT_PRIVILEGE or (extension and state in _UNAVAILABLE_EXTENSION):
        raise ScratchFailed(
            f"{file} cannot be checked, because scratch has no superuser and no untrusted "
            f"extension for it: {_failure_text(script, failure)}",
            "finish the file or undo it by hand, and record that: `rung force V`",
        )


def _cannot_run_in_transaction(failure: StatementFailure) -> bool:
    return failure.server.sqlstate in _TRANSACTION_REFUSED


def _failure_text(script: Script, failure: StatementFailure | None) -> str:
    """Return the line and message of a failure; empty where there is none."""
    if failure is None:
        return ""
    message = "; ".join(line.rstrip(".") for line in failure.server.lines())
    if failure.statement is None:
        return message
    return f"line {script.statements[failure.statement - 1].line}: {message}"
