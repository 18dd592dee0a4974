"""Errors of planning: what was asked for does not fit the files and the ledger."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, NamedTuple

from rung.errors.base import UNCHANGED, RungError, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIFF_LINES = 40
_TABLES = 12


@dataclass(eq=False, repr=False)
class PlanError(RungError):
    """What was asked for does not fit the files and the ledger. Nothing was run."""

    @property
    def database(self) -> str:
        return UNCHANGED


@dataclass(eq=False, repr=False)
class DirtyLedger(PlanError):
    """
    An earlier run did not finish.

    Args:
        version: the version the ledger names; None or -1 where it names none.
        attempt: what the history has of the attempt, in a sentence; may be empty.
        out_of_order: the version that was running, where it is an out-of-order one and so not
            the ledger's.
        resume: the command that resumes that run; empty where it cannot be resumed.
    """

    version: int | None
    attempt: str = ""
    out_of_order: int | None = None
    resume: str = ""

    @property
    def _at(self) -> str:
        return "no version" if self.version is None else f"version {self.version}"

    @property
    def cause(self) -> str:
        return f"the database is dirty at {self._at}: an earlier run did not finish"

    @property
    def detail(self) -> str:
        return self.attempt or "The history has no attempt that left it dirty: another tool did."

    @property
    def database(self) -> str:
        return f"dirty at {self._at}; nothing was run"

    @property
    def hint(self) -> str:
        if self.resume:
            return (
                f"resume it: `{self.resume}`; `rung repair` first compares the schema with the "
                "file, and asks before it changes anything"
            )
        if self.out_of_order is not None:
            return (
                f"run `rung repair` to see what version {self.out_of_order} left; or undo that by "
                f"hand, then `rung force {self.version}`. Version {self.out_of_order} is then out "
                "of order, as before, and can be run again"
            )
        return (
            "run `rung repair`: it compares the schema with the file and proposes a repair. Or "
            "repair the schema by hand, then record the version it is at: `rung force V` "
            "(`rung force -1` for none)"
        )


@dataclass(eq=False, repr=False)
class MissingMigrationFile(PlanError):
    """
    A version has no file.

    Args:
        version: the version.
        role: "ledger" where the database is at it, "target" where it was asked for.
        versions: the versions that have files, ascending.
        record: what the history has of it, in a sentence; may be empty.
        compatible: the database is ahead, and what was applied above the files is declared
            compatible with a build of them.
        lone_down: it has a down file and no up file.
        reversible: the history holds the down that belongs to what ran.
    """

    version: int
    role: str
    versions: Sequence[int]
    record: str = ""
    _: KW_ONLY
    compatible: bool = False
    lone_down: bool = False
    reversible: bool = False

    @property
    def ahead(self) -> bool:
        """True where the database is at a version above every file: an older checkout."""
        return self.role == "ledger" and self.version > max(self.versions, default=-1)

    @property
    def cause(self) -> str:
        if self.ahead:
            return f"the database is ahead: version {self.version} has no file"
        if self.role == "ledger":
            return f"the database is at version {self.version}, which has no file"
        if self.lone_down:
            return f"cannot apply version {self.version}: it has a down file and no up file"
        return f"no migration has version {self.version}"

    @property
    def detail(self) -> str:
        newest = max(self.versions, default=0)
        declared = f"It is declared compatible with version {newest}." if self.compatible else ""
        return "\n".join(filter(None, (self._source, self.record, declared)))

    @property
    def _source(self) -> str:
        if not self.versions:
            return "The source has no migrations."
        below = [v for v in self.versions if v < self.version][-1:]
        above = [v for v in self.versions if v > self.version][:1]
        near = " and ".join(str(v) for v in below + above)
        many = len(self.versions)
        counted = "1 migration" if many == 1 else f"{many} migrations"
        return f"The source has {counted}; the nearest: {near}." if near else ""

    @property
    def hint(self) -> str:
        down = "; or revert with the stored down: `rung down`" if self.reversible else ""
        if self.ahead:
            policy = "compatible" if self.compatible else "ok"
            return (
                "run the newer build that has the file; or leave the database as it is: "
                f"`rung up --if-ahead {policy}`{down}"
            )
        if self.role == "ledger":
            return f"restore the file{down}; or record the true version: `rung force V`"
        if self.lone_down:
            return (
                "restore the up file, or name a version that has one; `rung status` lists the "
                "versions"
            )
        return "`rung status` lists the versions"


@dataclass(eq=False, repr=False)
class OutOfOrderMigrations(PlanError):
    """
    Files at or below the database's version were never applied.

    Usually two branches were merged.

    Args:
        out_of_order: their versions, ascending.
        files: their up files, in the same order.
        current: the database's version.
        newer: the applied versions above the lowest of them, ascending.
        below: the highest applied version below the lowest of them; None for none.
        allowed: out-of-order versions that may run already.
        empty: those that ran while they held no statement, and hold SQL now.
    """

    out_of_order: Sequence[int]
    files: Sequence[str]
    current: int
    newer: Sequence[int]
    below: int | None = None
    allowed: Sequence[int] = ()
    empty: Sequence[int] = ()

    @property
    def cause(self) -> str:
        one = len(self.out_of_order) == 1
        what = "out-of-order migration was" if one else "out-of-order migrations were"
        how = "applied only while empty" if set(self.empty) >= set(self.out_of_order) else ""
        return f"{what} {how or 'never applied'}: {listed(self.files, _TABLES)}"

    @property
    def detail(self) -> str:
        newer = listed([str(version) for version in self.newer], _TABLES)
        empty = [str(v) for v in self.out_of_order if v in self.empty]
        never = [str(v) for v in self.out_of_order if v not in self.empty]
        facts = f"has no run of {listed(never, _TABLES)}" if never else ""
        facts += ", and " if never and empty else ""
        if empty:
            facts += f"recorded {listed(empty, _TABLES)} as empty, and the file has SQL now"
        return (
            f"The database is at version {self.current}. The history {facts}. Newer versions are "
            f"applied: {newer}."
        )

    @property
    def hint(self) -> str:
        together = sorted({*self.out_of_order, *self.allowed})
        allow = " ".join(f"--allow-out-of-order {version}" for version in together)
        one = len(self.out_of_order) == 1
        ways = (
            f"rename {'it' if one else 'each'} to a number above {self.current}; or, if the order "
            f"does not matter, apply {'it' if one else 'them'} now: `rung up {allow}`, or write "
            "-- rung: allow-out-of-order in the file"
        )
        if self.allowed:
            return ways
        has = "what it does" if one else "what all of them do"
        return (
            f"{ways}\nif the database has {has} already, record that: "
            f"`rung mark-applied {' '.join(map(str, self.out_of_order))}`"
        )


class EditedFile(NamedTuple):
    """An up file that was edited after it was applied, and how."""

    version: int
    file: str
    diff: str
    """A unified diff against the applied text; empty where that is not stored."""
    applied_as: str = ""
    """The title it was applied under, where that is another: it is another migration then."""


@dataclass(eq=False, repr=False)
class EditedMigrations(PlanError):
    """
    Applied migrations were edited afterwards, or their files are those of other migrations.

    Args:
        edits: the files, ascending by version.
        newest: the newest version that is applied, where that is known.
    """

    edits: Sequence[EditedFile]
    newest: int | None = None

    @property
    def cause(self) -> str:
        edited = [edit.file for edit in self.edits if not edit.applied_as]
        files = listed(edited, _TABLES)
        said = [f"edited after {'it was' if len(edited) == 1 else 'they were'} applied: {files}"]
        replaced = [
            f'version {edit.version} was applied as "{edit.applied_as}", but {edit.file} is '
            "another migration"
            for edit in self.edits
            if edit.applied_as
        ]
        return "; ".join([*(said if edited else []), *replaced])

    @property
    def detail(self) -> str:
        return "\n".join(_shortened(edit) for edit in self.edits)

    @property
    def database(self) -> str:
        return "unchanged; it has what the file said when it was applied"

    @property
    def hint(self) -> str:
        accept = "; ".join(f"`rung accept-edit {edit.version}`" for edit in self.edits)
        redo = ""
        if [edit.version for edit in self.edits] == [self.newest]:
            redo = "in development, revert what was applied and apply the file: `rung redo`\n"
        return (
            f"{redo}restore the file and write a new migration for the change; or, if the database "
            f"has the change already or needs none, accept the edit: {accept}"
        )


def _shortened(edit: EditedFile) -> str:
    """Cut a diff that is longer than a screen."""
    lines = edit.diff.splitlines() or [f"{edit.file}: the applied text is not stored."]
    return on_a_screen(lines)


def on_a_screen(lines: Sequence[str]) -> str:
    """Join lines, cut where they are more than a screen."""
    left = len(lines) - _DIFF_LINES
    return "\n".join(lines if left <= 0 else [*lines[:_DIFF_LINES], f"and {left} more lines"])


@dataclass(eq=False, repr=False)
class UnversionedDatabase(PlanError):
    """
    The database has tables, and no ledger or an empty one.

    Args:
        schema: where the ledger would be.
        tables: the existing tables.
        record: what the history says, where that still exists; may be empty.
        empty: whether there is a ledger without a row, and no attempt that succeeded.
    """

    schema: str
    tables: Sequence[str]
    record: str = ""
    _: KW_ONLY
    empty: bool = False

    @property
    def cause(self) -> str:
        ledger = "an empty ledger" if self.empty else "no ledger"
        return f"the database has tables and {ledger}: no migration is recorded"

    @property
    def detail(self) -> str:
        tables = f"Schema {self.schema} has the tables {listed(self.tables, _TABLES)}."
        return "\n".join(filter(None, (tables, self.record)))

    @property
    def hint(self) -> str:
        return (
            "if migrations made these tables, find the newest version whose tables and columns all "
            "exist, from the last file backwards, and record it: `rung force V`\n"
            "if no migration made them, record that once: `rung force -1`. Then run `rung up`"
        )


@dataclass(eq=False, repr=False)
class UnwrittenMigration(PlanError):
    """
    The newest migration has no statement yet, and does not declare that this is meant.

    Args:
        version: the version.
        file: its up file.
    """

    version: int
    file: str

    @property
    def cause(self) -> str:
        return f"migration {self.version} is not written yet: {self.file} has no statement"

    @property
    def hint(self) -> str:
        return (
            "write its SQL and run again; or, if it is meant to be empty, declare it in the file "
            "with the reason: -- rung: empty REASON"
        )


@dataclass(eq=False, repr=False)
class StoredSqlUnusable(PlanError):
    """
    A version has no file, and its stored down cannot be run.

    Args:
        version: the version.
        reason: why not, in a few words.
    """

    version: int
    reason: str

    @property
    def cause(self) -> str:
        return f"version {self.version} has no file, and its stored down {self.reason}"

    @property
    def hint(self) -> str:
        return "restore its up and down files as they were applied, and run again"


@dataclass(eq=False, repr=False)
class ConfirmationRequired(PlanError):
    """Data or objects would be lost, and the command was not confirmed."""

    what: str

    @property
    def cause(self) -> str:
        return f"not confirmed: {self.what[:1].lower()}{self.what[1:]}"

    @property
    def hint(self) -> str:
        return "answer y on a terminal, or pass --yes"


@dataclass(eq=False, repr=False)
class PlanChanged(PlanError):
    """The plan that was shown is no longer the one that would run."""

    @property
    def cause(self) -> str:
        return "the database has changed since the plan was shown"

    @property
    def database(self) -> str:
        return "as the other run left it; nothing was run"

    @property
    def hint(self) -> str:
        return "see `rung status` and run the command again"


@dataclass(eq=False, repr=False)
class AtomicRefused(PlanError):
    """
    A file cannot share one transaction with others.

    Args:
        version: its version.
        file: its name.
        reason: why not, without a stop.
    """

    version: int
    file: str
    reason: str

    @property
    def cause(self) -> str:
        return f"{self.file} cannot share one transaction with others: {self.reason}"

    @property
    def hint(self) -> str:
        return "leave --atomic out; or apply the files up to that one first, then use --atomic"
