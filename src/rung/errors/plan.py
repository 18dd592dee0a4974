"""Errors of planning: what was asked for does not fit the files and the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.errors.base import RungError

if TYPE_CHECKING:
    from collections.abc import Sequence


_DIFF_LINES = 40
_TABLES = 12


class PlanError(RungError):
    """What was asked for does not fit the files and the ledger. Nothing was run."""

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as it was."


class DirtyLedger(PlanError):
    """
    An earlier run did not finish.

    Args:
        version: the version the ledger names; None or -1 where it names none.
        attempt: what the history knows of the attempt, in a sentence; may be empty.
        late: the version that was under way where it is not the ledger's, a late one.
        resume: the command that goes on where that run stopped; empty where none can.
    """

    def __init__(
        self,
        version: int | None,
        attempt: str = "",
        late: int | None = None,
        resume: str = "",
    ) -> None:
        super().__init__(version, attempt, late, resume)
        self.version, self.attempt, self.late = version, attempt, late
        self.resume = resume

    @property
    def cause(self) -> str:
        shown = "no version" if self.version is None else f"version {self.version}"
        return f"The database is dirty at {shown}: an earlier run did not finish."

    @property
    def looked_at(self) -> str:
        return self.attempt or "The history has no row of it: another tool left it so."

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as it was found."

    @property
    def advice(self) -> str:
        if self.resume:
            return (
                f"Go on where it stopped: `{self.resume}`. Or let `rung repair` compare the schema "
                "with the file first; it asks before it does anything."
            )
        if self.late is not None:
            return (
                f"Let `rung repair` say what version {self.late} left; or undo that by hand, then: "
                f"`rung force {self.version}`. Version {self.late} is late then, as before, and "
                "can be run again."
            )
        return (
            "Let `rung repair` compare the schema with the file, and repair it; or repair it by "
            "hand, then record the version it is really at: `rung force V` (`rung force -1` for "
            "none)."
        )


class MissingMigrationFile(PlanError):
    """
    A version was named that has no file.

    Args:
        version: the version.
        role: "ledger" where the database is at it, "target" where it was asked for.
        known: the versions that have files, ascending.
        record: what the history knows of it, in a sentence; may be empty.
        suited: the database is ahead, and what was applied above the files is declared to suit
            a build of them.
        lone_down: it has a down file and no up file.
        reversible: the history holds the down that belongs to what ran.
    """

    def __init__(
        self,
        version: int,
        role: str,
        known: Sequence[int],
        record: str = "",
        *,
        suited: bool = False,
        lone_down: bool = False,
        reversible: bool = False,
    ) -> None:
        super().__init__(version, role, tuple(known), record)
        self._lone_down, self._reversible = lone_down, reversible
        self.version, self.role, self.known = version, role, tuple(known)
        self.record, self.suited = record, suited

    @property
    def lone_down(self) -> bool:
        """True where it has a down file and no up file."""
        return self._lone_down

    @property
    def ahead(self) -> bool:
        """True where the database is at a version above every file: an older checkout."""
        return self.role == "ledger" and self.version > max(self.known, default=-1)

    @property
    def cause(self) -> str:
        if self.ahead:
            return f"The database is ahead: it is at version {self.version}, which has no file."
        if self.role == "ledger":
            return f"The database is at version {self.version}, which has no file."
        if self._lone_down:
            return f"version {self.version} has a down file and no up file: it cannot be applied"
        return f"There is no migration with version {self.version}."

    @property
    def looked_at(self) -> str:
        suits = f"It is declared to suit version {max(self.known, default=0)}." * self.suited
        return "\n".join(filter(None, (self._source(), self.record, suits)))

    def _source(self) -> str:
        if not self.known:
            return "The source holds no migrations."
        below = [v for v in self.known if v < self.version][-1:]
        above = [v for v in self.known if v > self.version][:1]
        near = " and ".join(str(v) for v in below + above)
        many = "1 migration" if len(self.known) == 1 else f"{len(self.known)} migrations"
        return f"The source holds {many}; the nearest: {near}." if near else ""

    @property
    def advice(self) -> str:
        if self.ahead:
            policy = "compatible" if self.suited else "ok"
            return (
                "Run the newer build that has the file; or leave the database as it is: "
                f"`rung up --if-ahead {policy}`; or go back"
                + (
                    " with what the history holds: `rung down`."
                    if self._reversible
                    else " with it."
                )
            )
        if self.role == "ledger":
            held = "; or go back with what the history holds: `rung down`"
            back = held if self._reversible else ""
            return f"Bring the file back{back}; or record the true version: `rung force V`."
        if self._lone_down:
            return (
                "bring the up file back, or name a version that has one; "
                "`rung status` lists the versions"
            )
        return "See `rung status` for the versions there are."


class OutOfOrderMigrations(PlanError):
    """
    Files stand at or below the database's version and were never applied.

    Two branches were merged, most likely. Nothing is skipped in silence.

    Args:
        late: their versions, ascending.
        files: their up files, in the same order.
        current: the database's version.
        newer: the applied versions above the lowest of them, ascending.
        below: the highest applied version below the lowest of them; None for none.
        allowed: late versions that may run already.
        empty: those that ran while they held no statement, and hold SQL now.
    """

    def __init__(
        self,
        late: Sequence[int],
        files: Sequence[str],
        current: int,
        newer: Sequence[int],
        below: int | None = None,
        allowed: Sequence[int] = (),
        empty: Sequence[int] = (),
    ) -> None:
        facts = (tuple(late), tuple(files), current, tuple(newer), below, tuple(allowed))
        super().__init__(*facts, tuple(empty))
        self._empty = tuple(empty)
        self.late, self.files = tuple(late), tuple(files)
        self.current, self.newer = current, tuple(newer)
        self.below, self.allowed = below, tuple(allowed)

    @property
    def cause(self) -> str:
        if set(self._empty) >= set(self.late):
            return f"Late, and applied only while empty: {', '.join(self.files)}."
        return f"Late, and never applied: {', '.join(self.files)}."

    @property
    def looked_at(self) -> str:
        newer = ", ".join(map(str, self.newer))
        empty = ", ".join(str(v) for v in self.late if v in self._empty)
        never = ", ".join(str(v) for v in self.late if v not in self._empty)
        facts = f"has no run of {never}" if never else ""
        facts += ", and " if never and empty else ""
        facts += f"recorded {empty} as empty, where the file holds SQL now" if empty else ""
        return (
            f"The database is at version {self.current}; the history {facts}, and these newer "
            f"versions are applied: {newer}."
        )

    @property
    def advice(self) -> str:
        together = sorted({*self.late, *self.allowed})
        allow = " ".join(f"--allow-out-of-order {version}" for version in together)
        it = "it" if len(self.late) == 1 else "each"
        ways = (
            f"Give {it} a number above {self.current}; or, if it may run behind the newer ones, "
            f"run it as it is: `rung up {allow}`, or write -- rung: allow-out-of-order in the file."
        )
        if self.allowed:
            return ways
        does = "it does" if len(self.late) == 1 else "all of them do"
        return (
            f"{ways}\nIf the database has what {does} already, record that: "
            f"`rung mark-applied {' '.join(map(str, self.late))}`."
        )


class EditedFile(NamedTuple):
    """An up file that was edited after it was applied, and how."""

    version: int
    file: str
    diff: str
    """A unified diff against the text that was applied; empty where that was not kept."""
    applied_as: str = ""
    """The title it was applied under, where that is another: it is another migration then."""


class EditedMigrations(PlanError):
    """
    Applied migrations were edited afterwards, or their files are those of other migrations.

    Args:
        edits: the files, ascending by version.
        newest: the newest version that is applied, where that is known.
    """

    def __init__(self, edits: Sequence[EditedFile], newest: int | None = None) -> None:
        super().__init__(tuple(edits), newest)
        self.edits, self.newest = tuple(edits), newest

    @property
    def cause(self) -> str:
        edited = ", ".join(edit.file for edit in self.edits if not edit.applied_as)
        said = [f"Edited after it was applied: {edited}."] if edited else []
        said += [
            f'version {edit.version} was applied as "{edit.applied_as}", and {edit.file} is '
            "another migration"
            for edit in self.edits
            if edit.applied_as
        ]
        return "\n".join(said)

    @property
    def looked_at(self) -> str:
        return "\n".join(_shortened(edit) for edit in self.edits)

    @property
    def state(self) -> str:
        return "Nothing was run; the database has what the file said when it was applied."

    @property
    def advice(self) -> str:
        accept = "; ".join(f"`rung accept-edit {edit.version}`" for edit in self.edits)
        redo = ""
        if [edit.version for edit in self.edits] == [self.newest]:
            redo = "in development, revert it as it was applied and apply the file: `rung redo`\n"
        return (
            f"{redo}put the file back and write a new migration for the change; or, if the "
            f"database has the change already or needs none, record the edit: {accept}"
        )


def _shortened(edit: EditedFile) -> str:
    """The diff, cut where it is longer than a screen."""
    lines = edit.diff.splitlines() or [f"{edit.file}: the text that was applied is not kept."]
    return on_a_screen(lines)


def on_a_screen(lines: Sequence[str]) -> str:
    """Lines, cut where they are more than a screen."""
    left = len(lines) - _DIFF_LINES
    return "\n".join(lines if left <= 0 else [*lines[:_DIFF_LINES], f"… {left} more lines"])


class UnversionedDatabase(PlanError):
    """
    The database has tables, and no ledger or an empty one: what made them is not known.

    Args:
        schema: where the ledger would be.
        tables: the tables there are.
        record: what the history says, where that is still there; may be empty.
        empty: whether there is a ledger without a row, and no attempt that succeeded.
    """

    def __init__(
        self, schema: str, tables: Sequence[str], record: str = "", *, empty: bool = False
    ) -> None:
        super().__init__(schema, tuple(tables), record)
        self.schema, self.tables, self.record = schema, tuple(tables), record
        self._empty = empty

    @property
    def cause(self) -> str:
        if self._empty:
            return (
                "The database has tables and an empty ledger: no migration is recorded, and "
                "nothing says which ones made the tables."
            )
        return "The database has tables and no ledger: nothing says which migrations it has."

    @property
    def looked_at(self) -> str:
        shown = ", ".join(self.tables[:_TABLES])
        more = len(self.tables) - _TABLES
        rest = f" and {more} more" if more > 0 else ""
        return "\n".join(
            filter(None, (f"Schema {self.schema} has the tables {shown}{rest}.", self.record))
        )

    @property
    def advice(self) -> str:
        return (
            "If migrations made these tables, look for the newest version whose tables and "
            "columns are all there, from the last file backwards, and record it: `rung force V`.\n"
            "If none of them did, say so once: `rung force -1`. Then run `rung up`."
        )


class UnwrittenMigration(PlanError):
    """
    The newest migration holds no statement yet, and does not declare that this is meant.

    Args:
        version: the version.
        file: its up file.
    """

    def __init__(self, version: int, file: str) -> None:
        super().__init__(version, file)
        self.version, self.file = version, file

    @property
    def cause(self) -> str:
        return f"migration {self.version} is not written yet: {self.file} holds no statement"

    @property
    def advice(self) -> str:
        return (
            "write its SQL and run again; or, if it is meant to be empty, declare it in the file "
            "with the reason: -- rung: empty REASON"
        )


class StoredSqlUnusable(PlanError):
    """
    A version has no file here, and what the history keeps of its down cannot be run.

    Args:
        version: the version.
        reason: why not, in a few words.
    """

    def __init__(self, version: int, reason: str) -> None:
        super().__init__(version, reason)
        self.version, self.reason = version, reason

    @property
    def cause(self) -> str:
        return f"Version {self.version} has no file here, and its stored down {self.reason}."

    @property
    def advice(self) -> str:
        return "bring its up and down files back as they were applied, and run again"


class ConfirmationRequired(PlanError):
    """Something would be lost and nobody said yes."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    @property
    def cause(self) -> str:
        return f"{self.what} was not confirmed."

    @property
    def advice(self) -> str:
        return "Answer y on a terminal, or pass --yes where there is none."


class PlanChanged(PlanError):
    """The plan that somebody was shown is no longer the one that would run."""

    @property
    def cause(self) -> str:
        return "The database moved on since the plan was shown."

    @property
    def state(self) -> str:
        return "Nothing was run; the database is as the other run left it."

    @property
    def advice(self) -> str:
        return "Look at `rung status` and ask again."


class AtomicRefused(PlanError):
    """
    A file cannot be in one transaction with others.

    Args:
        version: its version.
        file: its name.
        reason: why not, in a sentence without its end.
    """

    def __init__(self, version: int, file: str, reason: str) -> None:
        super().__init__(version, file, reason)
        self.version, self.file, self.reason = version, file, reason

    @property
    def cause(self) -> str:
        return f"{self.file} cannot be in one transaction with others: {self.reason}."

    @property
    def advice(self) -> str:
        return "Leave --atomic out; or run the files up to that one first, and --atomic behind it."
