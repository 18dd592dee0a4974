"""
Errors of a run that began. Each carries how far the run got and what is true now.

The text of a `MigrationFailed` is all that a person on call sees of a failure in a log, so
it holds the file, the place, the statement with a caret, and the database's own words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.errors.base import RungError

if TYPE_CHECKING:
    from collections.abc import Sequence

_REPAIR = (
    "Let `rung repair` compare the schema with the file: it says what is there, and asks before it "
    "does anything. `rung history` names the statement"
)


_UNRECORDED = (
    "What this file makes is there already, and the ledger has no row: most likely these "
    "migrations, or some of them, were applied without it.\n"
    "Look for the newest version whose tables and columns are all there, from the last file "
    "backwards, and record it: `rung force V`; then run `rung up`.\n"
    "If the newer ones are there and older ones are not, name each that is: `rung mark-applied V`."
)
_CLUSTER_WIDE = (
    "A role, a database or a tablespace belongs to the whole server: that it exists says nothing "
    "about this database.\n"
    "Change {file} to create it only where it is missing (for a role, DO with EXCEPTION WHEN "
    "duplicate_object), or drop it by hand, and run {again}; nothing has to be forced."
)
_PASSED_OVER = (
    "Version {version} is recorded as not reverted: a down passed it, so the objects that its up "
    "created still exist.\n"
    "If all of them exist, record that: `rung mark-applied {version}`; then run `rung up`. "
    "Otherwise drop the rest by hand and run {again}."
)
_EXPLAINED = (
    "An object of this file exists already, although version {version} is not applied: its down "
    "did not drop it, or something else created it.\n"
    "If all of its objects exist, record that: `rung mark-applied {version}`. Otherwise drop by "
    "hand what exists, make the down drop it too, and run {again}."
)
EXISTS_ALREADY = frozenset({"42P07", "42701", "42710", "42P06", "42723", "42P04", "42P05", "42P03"})
"""The codes for a thing of that name that is there already."""


class ServerMessage(NamedTuple):
    """What the database said of a failure, field by field as it sent them."""

    message: str
    sqlstate: str = ""
    detail: str = ""
    hint: str = ""
    context: str = ""

    def lines(self) -> tuple[str, ...]:
        """The message with its code, then detail, hint and context where there are any."""
        first = f"{self.message} (SQLSTATE {self.sqlstate})" if self.sqlstate else self.message
        extra = (("detail", self.detail), ("hint", self.hint), ("context", self.context))
        return (first, *(f"{name}: {text}" for name, text in extra if text))


class SourceLocation(NamedTuple):
    """
    Where in a migration file something happened.

    `line` and `column` are 1-based and count characters; `column` is 0 where only the
    statement is known. `excerpt` is the line of the file, without its line end and its
    secrets; `caret` is the column in there, 0 where it is `column`. `sql` is what was refused,
    without its secrets: the file, or the statement where the file does not run as a whole.
    """

    file: str
    line: int
    column: int = 0
    excerpt: str = ""
    caret: int = 0
    sql: str = ""

    @property
    def split(self) -> tuple[str, str]:
        """The excerpt before the caret, and from there on."""
        at = max((self.caret or self.column) - 1, 0)
        return self.excerpt[:at], self.excerpt[at:]

    def lines(self) -> tuple[str, ...]:
        """The place, the line of SQL, and a caret under the column where it is known."""
        where = f"{self.file}:{self.line}"
        if self.column:
            where += f":{self.column}"
        if not self.excerpt:
            return (where,)
        number = f"{self.line} | "
        shown = (where, number + self.excerpt)
        if not self.column:
            return shown
        before, _ = self.split
        blank = "".join("\t" if character == "\t" else " " for character in before)
        return (*shown, " " * len(number) + blank + "^")


class RunError(RungError):
    """
    A run began and did not reach its end.

    Args:
        applied: the versions finished by this run, in order, before it stopped.
        now: the state of the database now, in a sentence.
    """

    def __init__(self, applied: Sequence[int], now: str) -> None:
        super().__init__(tuple(applied), now)
        self.applied, self.now = tuple(applied), now

    @property
    def state(self) -> str:
        return self.now


class MigrationFailed(RunError):
    """
    The database refused a migration.

    Args:
        applied: the versions finished by this run before this one.
        now: the state of the database now, in a sentence.
        version: the version that failed.
        direction: "up" or "down".
        place: the failing statement in the file.
        server: what the database said.
        at_commit: True where the statements ran and the COMMIT failed.
        dirty: True where the file ran in several units and the ledger is left dirty.
        remedy: what to do where the file is not at fault; empty where the code tells it.
        locked: who held the lock that was not to be had, and for how long it was tried, in
            lines; none where it was something else.
        resumes: where it is dirty, whether the file can be gone on with where it stopped.
        unrecorded: whether what the file makes is there already, at a ledger without a row.
        exists: whether what an up makes is there already.
        cluster_wide: whether that belongs to the whole server, as a role does.
        strange: a character that cannot be seen, or looks like another, with its place; else
            empty.
    """

    def __init__(  # noqa: PLR0913 - facts, each named where it is given
        self,
        applied: Sequence[int],
        now: str,
        *,
        version: int,
        direction: str,
        place: SourceLocation,
        server: ServerMessage,
        at_commit: bool = False,
        dirty: bool = False,
        remedy: str = "",
        locked: Sequence[str] = (),
        resumes: bool = True,
        strange: str = "",
        unrecorded: bool = False,
        exists: bool = False,
        cluster_wide: bool = False,
    ) -> None:
        super().__init__(applied, now)
        self.resumes, self.unrecorded = resumes, unrecorded
        self._exists, self._cluster_wide = exists or unrecorded, cluster_wide
        self._why_there = ""
        self._remedy = remedy or _remedy(server.sqlstate)
        self.version, self.direction = version, direction
        self.place, self.server = place, server
        self.at_commit, self.dirty = at_commit, dirty
        self.locked, self.strange = tuple(locked), strange
        self._again = "again"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))

    def again_by(self, command: str) -> None:
        """Name the command that runs it again, where repeating the same one would do more."""
        self._again = f"`{command}`"

    def explained_by(self, *, passed_over: bool, reverted: bool) -> None:
        """
        Say why what the file makes may be there already, where the history tells.

        Args:
            passed_over: whether a down passed this version over.
            reverted: whether this version was applied once, and a down of it has run.
        """
        if self._exists and not self._cluster_wide:
            self.unrecorded = self.unrecorded and not (passed_over or reverted)
            self._why_there = _EXPLAINED if reverted else ""
            self._why_there = _PASSED_OVER if passed_over else self._why_there

    @property
    def cause(self) -> str:
        what = f"Migration {self.version} ({self.direction}) failed"
        what += " at its COMMIT" if self.at_commit else ""
        first, *more = self.server.lines()
        strange = (self.strange,) if self.strange else ()
        return "\n".join((f"{what}: {first}", *more, *strange, *self.locked))

    @property
    def looked_at(self) -> str:
        return "\n".join(self.place.lines())

    @property
    def advice(self) -> str:
        if self.unrecorded:
            return _UNRECORDED
        known = _CLUSTER_WIDE if self._cluster_wide else self._why_there
        if known and not self.dirty:
            return known.format(file=self.place.file, version=self.version, again=self._again)
        if self.dirty and not self.resumes:
            return f"{_REPAIR} that failed."
        what = self._remedy or f"Mend {self.place.file}"
        if self.dirty:
            what = self._remedy.rstrip(",") or f"{what} behind what is committed"
            return f"{what}, then {_resume(self.direction)}"
        return f"{what} and run {self._again}; nothing has to be forced."


def _resume(direction: str) -> str:
    return (
        f"go on where it stopped: `rung {direction} --resume`. `rung repair` compares the schema "
        "with the file first, if in doubt."
    )


def _remedy(sqlstate: str) -> str:
    """What to do where the file is not at fault; empty where it may be."""
    exact = {
        "42501": "Use a role that may do this (--role), or grant it the right,",
        "40001": "Wait for what it met",
        "40P01": "Wait for what it met",
        "55P04": "Move ALTER TYPE … ADD VALUE into a migration of its own before this one",
        "55P03": "Wait for what holds the lock, or allow more time (--lock-retry-for),",
        "57014": "Give it more time (SET LOCAL statement_timeout in the file) or less to do,",
    }
    return exact.get(sqlstate) or ("Make room on the server" if sqlstate[:2] == "53" else "")


class LedgerMoved(RunError):
    """
    The ledger was no longer what the plan was made for; the step was rolled back.

    The lock was lost, the file itself changed the ledger, or another tool did.
    """

    def __init__(self, applied: Sequence[int], now: str, version: int, file: str) -> None:
        super().__init__(applied, now)
        self.args = (tuple(applied), now, version, file)
        self.version, self.file = version, file

    @property
    def cause(self) -> str:
        return (
            f"The ledger was not in the state that the plan was made for when {self.file} had "
            "run: the file changed it, another tool did, or the lock was lost."
        )

    @property
    def advice(self) -> str:
        return "See `rung status` and run again; a step is never applied twice."


class LockLost(RunError):
    """
    Behind a pooler the lock was not ours any more when a transaction began; nothing of it ran.

    Another run took the lease over, because this one gave no sign of life for too long, or
    another tool with a connection of its own came in between two transactions.
    """

    def __init__(self, applied: Sequence[int], now: str, version: int, file: str) -> None:
        super().__init__(applied, now)
        self.args = (tuple(applied), now, version, file)
        self.version, self.file = version, file

    @property
    def cause(self) -> str:
        return (
            f"The lock was lost when {self.file} was to go on: another run took the lease over, "
            "or another tool came in between two transactions."
        )

    @property
    def advice(self) -> str:
        return "See `rung status` and run again; a step is never applied twice."


class LedgerDropped(RunError):
    """
    A file dropped the ledger or the history, which only a down to no version may.

    Args:
        applied: the versions finished by this run, in order.
        now: the state of the database now, in a sentence.
        version: the version under way.
        file: the file's name.
        said: what the database said when the table was to be written.
    """

    def __init__(
        self, applied: Sequence[int], now: str, version: int, file: str, said: str
    ) -> None:
        super().__init__(applied, now)
        self.args = (tuple(applied), now, version, file, said)
        self.version, self.file, self.said = version, file, said

    @property
    def cause(self) -> str:
        return f"{self.file} drops the ledger or the history: {self.said}."

    @property
    def advice(self) -> str:
        return (
            f"Have {self.file} leave them out: drop tables by name, or put ledger and history "
            "into a schema of their own (--ledger-table SCHEMA.NAME). Only a down to no version "
            "that runs in one transaction may drop them; they are made again, empty."
        )


class OwnWriteRefused(RunError):
    """
    A rule of the database refused our own write to ledger or history; the file is not at fault.

    Args:
        applied: the versions finished by this run, in order.
        now: the state of the database now, in a sentence.
        version: the version under way.
        table: what was written: `the ledger public.schema_migrations`.
        objects: what may have refused it, each in words.
        server: what the database said.
        remedy: the way out.
        resumes: the command that goes on with a file that is half done; empty where none is.
    """

    def __init__(
        self,
        applied: Sequence[int],
        now: str,
        version: int,
        table: str,
        objects: Sequence[str],
        server: ServerMessage,
        remedy: str,
        resumes: str = "",
    ) -> None:
        super().__init__(applied, now)
        self.args = (tuple(applied), now, version, table, tuple(objects), server, remedy, resumes)
        self.version, self.table, self.objects = version, table, tuple(objects)
        self.server, self._remedy, self._resumes = server, remedy, resumes

    @property
    def cause(self) -> str:
        first, *more = self.server.lines()
        seen = f" ({', '.join(self.objects)})" if self.objects else ""
        said = f"the database refuses a write of Rung's own to {self.table}{seen}: {first}"
        return "\n".join((said, *more))

    @property
    def looked_at(self) -> str:
        return f"Migration {self.version} itself is not at fault: its statements ran."

    @property
    def advice(self) -> str:
        again = f"`{self._resumes}`" if self._resumes else "run again"
        return f"{self._remedy}; then {again}"


class UnexpectedTransactionControl(RunError):
    """
    The server warned of transaction control inside a file that was read as having none.

    The reading of the file was wrong, so what committed when is not what was planned.
    """

    def __init__(
        self, applied: Sequence[int], now: str, version: int, file: str, warning: str
    ) -> None:
        super().__init__(applied, now)
        self.args = (tuple(applied), now, version, file, warning)
        self.version, self.file, self.warning = version, file, warning

    @property
    def cause(self) -> str:
        return (
            f"{self.file} controls transactions in a way that was not seen when it was read; "
            f"the server warned: {self.warning}."
        )

    @property
    def advice(self) -> str:
        return (
            f"Check what {self.file} left behind before going on, and take the transaction "
            "control out of it. Please report the file: its reading is a bug."
        )


class ConnectionLost(RunError):
    """
    The connection was lost inside a migration.

    Args:
        applied: the versions finished by this run, the lost one included if it is committed.
        now: the state of the database now, in a sentence.
        version: the version that was under way.
        reason: what was said of the loss, masked.
        committed: whether it is committed; None where that could not be learned.
        dirty: True where a file that ran in several units was cut off in the middle.
        direction: "up" or "down".
    """

    def __init__(
        self,
        applied: Sequence[int],
        now: str,
        version: int,
        reason: str,
        committed: bool | None = None,  # noqa: FBT001 - a fact like the others
        dirty: bool = False,  # noqa: FBT001, FBT002 - likewise
        direction: str = "up",
    ) -> None:
        super().__init__(applied, now)
        self.args = (tuple(applied), now, version, reason, committed, dirty, direction)
        self.direction = direction
        self.version, self.reason = version, reason
        self.committed, self.dirty = committed, dirty

    @property
    def cause(self) -> str:
        return f"The connection was lost during migration {self.version}: {self.reason}."

    @property
    def looked_at(self) -> str:
        if self.committed is None:
            return "What became of it could not be learned: the server did not answer again."
        found = "is" if self.committed else "is not"
        return f"Connected anew: it {found} among what was committed."

    @property
    def advice(self) -> str:
        if self.committed is None:
            return "When the server answers again, `rung status` tells what became of it."
        if self.dirty:
            return f"To {_resume(self.direction)}"
        return "Run the same command again to go on."


class Stopped(RunError):
    """
    The run was asked to stop before its plan was done.

    Args:
        applied: the versions finished by this run.
        now: the state of the database now, in a sentence.
        remaining: the versions that were planned and not run to their end.
        dirty: True where a file that ran in several units was cancelled in the middle.
        direction: where it is dirty, "up" or "down".
    """

    def __init__(
        self,
        applied: Sequence[int],
        now: str,
        remaining: Sequence[int],
        *,
        dirty: bool = False,
        direction: str = "up",
    ) -> None:
        super().__init__(applied, now)
        self.direction = direction
        self.args = (tuple(applied), now, tuple(remaining))
        self.remaining, self.dirty = tuple(remaining), dirty

    @property
    def cause(self) -> str:
        left = ", ".join(str(version) for version in self.remaining)
        return f"Stopped as asked; not run: {left}." if left else "Stopped as asked."

    @property
    def advice(self) -> str:
        if self.dirty:
            return f"To {_resume(self.direction)}"
        return "Run the same command again to go on."


def _rebuild(kind: type[RunError], args: tuple[object, ...], facts: dict[str, object]) -> RunError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error
