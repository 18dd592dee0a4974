"""
Runs files on scratch: what was applied before, then a file statement by statement.

A file that runs in a transaction runs in one here too, for some statements work nowhere else,
and is looked at from inside. What cannot, or controls transactions itself, runs as it stands.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rung.errors import QueryFailed, ScratchFailed, ScriptError
from rung.execution.redact_result import redact_result
from rung.repair import TrialResult, states_of, undo_candidates
from rung.repair.cluster_wide import is_not_compared, makes_extension, makes_role, reaches_beyond
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
_POINT = read("SAVEPOINT rung_scratch; ROLLBACK TO rung_scratch")
_UNDONE = read("BEGIN; ROLLBACK")
_OPEN, _CLOSE = (1, 1), (2, 2)
_ENDS = (Control.COMMIT, Control.ROLLBACK)
_REFUSES_TRANSACTION = frozenset({"25001", "2D000", "55P04"})
"""Also the use of an enum value that the same transaction has added."""
_EXISTS, _NO_RIGHT = "42710", "42501"
_NOT_AVAILABLE = frozenset({_NO_RIGHT, "58P01", "0A000"})
"""Of an extension: a superuser makes it, or the server does not have it."""


@dataclass(slots=True)
class _Seen:
    """The schema after so many statements, what stopped the file, and what that left."""

    after: dict[int, Snapshot] = field(default_factory=dict)
    refusal: StatementFailure | None = None
    broken: Snapshot | None = None


@dataclass(slots=True)
class ScratchRunner:
    """
    Tries files out.

    Args:
        scratch: where.
        migrations: the files, and the kept texts of versions without one.
        place: the live database's; its ledger's schema is made on scratch too.
    """

    scratch: Scratch
    migrations: MigrationSet
    place: Location
    _bases: dict[tuple[int, ...], str] = field(default_factory=dict)

    def tried(self, suspect: Candidate) -> TrialResult:
        """
        Run a file through on top of what was applied before it.

        Raises:
            ScratchFailed: what was applied before does not run.
        """
        script = self._read(suspect.migration.half(suspect.direction))
        seen = self._seen(suspect, script)
        _check_rights(suspect.file, script, seen.refusal)
        states = states_of(script, seen.after, seen.broken)
        return TrialResult(suspect, script, states, _words(script, seen.refusal))

    def proven_undo(self, finding: StateMatch) -> str | None:
        """SQL that takes what is there back to where the file began; None where none does."""
        tried = finding.tried
        assert tried is not None
        half = tried.suspect.migration.down
        down = self._read(half) if half else None
        for sql in undo_candidates(finding, down):
            if self._undoes(sql, finding, tried):
                return sql
        return None

    def _undoes(self, sql: str, finding: StateMatch, tried: TrialResult) -> bool:
        try:
            undo = self._read_text(sql)
        except ScriptError:
            return False
        there = finding.half or finding.done or 0
        name = self.scratch.copy(self._base(tried.suspect.base))
        with self.scratch.open(name) as session:
            refusal = _run(session, tried.script, there)
            if refusal and refusal.statement != finding.half:
                return False
        with self.scratch.open(name) as session:
            if _run(session, undo, len(undo.statements)):
                return False
            return session.snapshot().without_owners() == tried.states[0].snapshot

    def _seen(self, suspect: Candidate, script: Script) -> _Seen:
        """The schema after each statement, as far as the file runs, and what stopped it."""
        base = self._base(suspect.base)
        seen = self._run_through(base, script, together=True)
        if seen.refusal and _refuses_transaction(seen.refusal):
            return self._run_through(base, script, together=False)
        return seen

    def _run_through(self, base: str, script: Script, *, together: bool) -> _Seen:
        seen = _Seen()
        with self.scratch.open(self.scratch.copy(base)) as session:

            def look(number: int) -> None:
                seen.after[number] = session.snapshot().without_owners()

            last = len(script.statements)
            seen.refusal = _run(session, script, last, look, together=together)
            if seen.refusal:
                with suppress(QueryFailed):  # inside a transaction nothing is left behind
                    seen.broken = session.snapshot().without_owners()
        return seen

    def _base(self, versions: tuple[int, ...]) -> str:
        """A database with these versions applied, made once, on top of what there is of them."""
        if versions not in self._bases:
            begun = [known for known in self._bases if versions[: len(known)] == known]
            longest = max(begun, key=len, default=())
            name = self.scratch.copy(self._bases[longest]) if begun else self._empty()
            with self.scratch.open(name) as session:
                for version in versions[len(longest) :]:
                    self._apply(session, version)
            self._bases[versions] = name
        return self._bases[versions]

    def _empty(self) -> str:
        name = self.scratch.new()
        with self.scratch.open(name) as session:
            if self.place.dialect is not Dialect.SQLITE:
                schema = '"' + self.place.schema.replace('"', '""') + '"'
                session.run_unrecorded(read(f"CREATE SCHEMA IF NOT EXISTS {schema}"), 1, 1)
            session.ensure_tables()
        return name

    def _apply(self, session: Session, version: int) -> None:
        migration = self.migrations.by_version.get(version)
        half = migration.half(Direction.UP) if migration else None
        if half is None:
            return  # as golang-migrate would, with a half that is missing
        script = self._read(half)
        last = len(script.statements)
        refusal = _run(session, script, last)
        if refusal and _refuses_transaction(refusal):
            session.run_unrecorded(_UNDONE, *_CLOSE)
            refusal = _run(session, script, last, together=False)
        if refusal is None:
            if script.touches_session:
                session.restore_session()
            return
        _check_rights(half.file, script, refusal)
        raise ScratchFailed(
            f"{half.file}, which is applied, does not run on scratch: {_words(script, refusal)}.",
            "Name a server on which it does with --scratch URL (the same version, extensions and "
            "roles), or repair the database by hand and record that: `rung force V`",
        )

    def _read(self, half: MigrationFile | None) -> Script:
        if half is None:
            return self._read_text("")
        try:
            return self._read_text(half.text)
        except ScriptError as error:
            raise error.in_file(half.file) from None

    def _read_text(self, text: str) -> Script:
        return read(text, self.place.dialect)


def _nothing(_: int) -> None:
    """Look at nothing."""


def _run(
    session: Session,
    script: Script,
    last: int,
    after: Callable[[int], None] = _nothing,
    *,
    together: bool = True,
) -> StatementFailure | None:
    """
    Run the first statements of a script; `after` is told of each, and first of none.

    Args:
        session: on scratch.
        script: the file's.
        last: the number of the last statement to run.
        after: called with the number of statements done.
        together: whether what may run in one transaction does.
    """
    opens, closes = _borders(script, last) if together else (set(), set())
    inside = False
    after(0)
    for statement in script.statements[:last]:
        if statement.number in opens:
            session.run_unrecorded(_BLOCK, *_OPEN)
            inside = True
        if refusal := _one(session, script, statement, inside=inside):
            return refusal
        after(statement.number)
        if statement.number in closes:
            refusal = session.run_unrecorded(_BLOCK, *_CLOSE).refusal
            if refusal:
                return replace(refusal, statement=None)
        ended = statement.number in closes or statement.control in _ENDS
        inside = (inside or statement.control is Control.BEGIN) and not ended
    return None


def _borders(script: Script, last: int) -> tuple[set[int], set[int]]:
    """Before which of the first statements a transaction is opened, and behind which it ends."""
    if script.dialect is Dialect.SQLITE and script.mode is not Mode.TRANSACTIONAL:
        return set(), set()
    units = [unit for unit in script.units if unit.first <= last and unit.transaction != "none"]
    begins = {one.number for one in script.statements if one.control is Control.BEGIN}
    closes = {min(unit.last, last) for unit in units if unit.transaction == "ours"}
    return {unit.first for unit in units} - begins, closes


def _one(
    session: Session, script: Script, statement: Statement, *, inside: bool
) -> StatementFailure | None:
    """One statement; passed over where it fails for what only scratch lacks, or has already."""
    if reaches_beyond(statement):
        return None
    passed, number = _passed_over(script, statement), statement.number
    if passed and inside:
        session.run_unrecorded(_POINT, *_OPEN)
    refusal = redact_result(session.run_unrecorded(script, number, number), script).refusal
    if refusal and refusal.server.sqlstate in passed:
        if inside:
            session.run_unrecorded(_POINT, *_CLOSE)
        return None
    return refusal


def _passed_over(script: Script, statement: Statement) -> frozenset[str]:
    """
    With which states a statement is passed over.

    A role belongs to the whole server and may be there already, as may an extension that only
    a superuser makes. Files have no superuser's rights there.
    """
    passed = {_EXISTS} if makes_role(statement) or makes_extension(statement) else set()
    if is_not_compared(statement, script.text[statement.start : statement.end]):
        passed |= {_NO_RIGHT}
    return frozenset(passed)


def _check_rights(file: str, script: Script, refusal: StatementFailure | None) -> None:
    """
    Refuse to take what scratch alone refuses for a fault of the file.

    Raises:
        ScratchFailed: a statement needs rights that files do not have there.
    """
    if refusal is None or refusal.statement is None:
        return
    state = refusal.server.sqlstate
    extension = makes_extension(script.statements[refusal.statement - 1])
    if state == _NO_RIGHT or (extension and state in _NOT_AVAILABLE):
        raise ScratchFailed(
            f"{file} is not proved, because scratch has no superuser and no untrusted extension "
            f"for it: {_words(script, refusal)}",
            "Complete the file or undo it by hand, and record that: `rung force V`",
        )


def _refuses_transaction(refusal: StatementFailure) -> bool:
    return refusal.server.sqlstate in _REFUSES_TRANSACTION


def _words(script: Script, refusal: StatementFailure | None) -> str:
    """What stopped a file, with the line; empty where nothing did."""
    if refusal is None:
        return ""
    said = "; ".join(line.rstrip(".") for line in refusal.server.lines())
    if refusal.statement is None:
        return said
    return f"line {script.statements[refusal.statement - 1].line}: {said}"
