"""
Replay the history to find what is applied, and reconcile that with the ledger. Pure.

"Applied" means "in the history". The history leaves the ledger at the highest version that is
applied; a ledger at another version was moved by another tool. What that tool must have run then
counts as applied, and a baseline records it: going up from W to V it ran the files above W and up
to V, and no others; going down it left none above V.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from rung.ledger import DIRECTIONS, MARK_APPLIED, MARK_NOT_APPLIED, NOT_REVERTED, Outcome
from rung.script import checksum, contents_of, read
from rung.script.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rung.ledger import Attempt, LedgerState
    from rung.source import Migration, MigrationSet

_DECIDES = ("up", "down", MARK_APPLIED, MARK_NOT_APPLIED)
_EMPTY = checksum(read(""))
"""The checksum of a file that holds no statement."""


class AppliedFile(NamedTuple):
    """What the history has of one file: enough to see whether the file was edited since."""

    checksum: str | None
    """None for a file whose SQL could not be read."""
    formula: int | None
    digest: str | None


class AppliedVersion(NamedTuple):
    """An applied version; `up` and `down` are None where the history does not have that file."""

    version: int
    name: str = ""
    up: AppliedFile | None = None
    down: AppliedFile | None = None
    entry: Attempt | None = None
    """The row that made it applied."""
    down_entry: Attempt | None = None
    """The row with the down that belongs to the up: of that attempt, or of `accept-edit`."""
    is_empty: bool = False
    """Whether its up file held no statement, so that nothing was run."""
    is_doubted: bool = False
    """Whether a later attempt of it was interrupted, and a `force` came after that."""

    @property
    def has_files(self) -> bool:
        """Whether the history has one of its files."""
        return self.up is not None or self.down is not None

    @property
    def ran(self) -> bool:
        """Whether a run of ours applied it: what the history has of it is what ran."""
        return self.entry is not None and self.entry.direction == "up"

    @property
    def is_forced(self) -> bool:
        """Whether only `force` says that it is applied, or applied completely."""
        return self.is_doubted or (self.entry is not None and _is_forced(self.entry))


@dataclass(frozen=True, slots=True)
class Applied:
    """
    Every applied version.

    Args:
        versions: them, by version.
        recorded: False without a history; then the files at or below the ledger count as applied,
            and an out-of-order one cannot be recognized.
        unrecorded: what a baseline has to add, in order; None in it is the state before the first
            migration.
        reopened: those whose up file was empty and has SQL now: it is pending again.
        unreverted: those that a down passed over, and that were not applied since.
    """

    versions: Mapping[int, AppliedVersion] = field(default_factory=dict)
    recorded: bool = True
    unrecorded: tuple[int | None, ...] = ()
    reopened: Collection[int] = frozenset()
    unreverted: Collection[int] = frozenset()

    @property
    def ascending(self) -> tuple[int, ...]:
        """The versions in order."""
        return tuple(sorted(self.versions))

    def out_of_order(self, migrations: MigrationSet, ledger: LedgerState) -> tuple[Migration, ...]:
        """Return the migrations at or below the ledger that were never applied, or ran empty."""
        current = ledger.version
        if current is None or not self.recorded:
            return ()
        newest = self._newest_complete
        pending = {version for version in self.reopened if version < newest}
        below = (m for m in migrations.migrations if m.version <= current and m.up is not None)
        return tuple(m for m in below if m.version in pending or m.version not in self.versions)

    def again(self, migrations: MigrationSet) -> tuple[Migration, ...]:
        """Return the migrations that ran empty, have SQL now, and have nothing newer applied."""
        newest = self._newest_complete
        reopened = (m for m in migrations.migrations if m.version in self.reopened)
        return tuple(m for m in reopened if m.version > newest)

    @property
    def _newest_complete(self) -> int:
        """The highest version that is not pending again."""
        return max((v for v in self.versions if v not in self.reopened), default=-1)

    def lone_downs(
        self, migrations: MigrationSet, ledger: LedgerState, *, count: bool = False
    ) -> Applied:
        """
        Leave out the versions that have only a down, or with `count` add those up to the ledger.

        Nothing was applied for them, so `rung` never stops there; golang-migrate does, and runs
        their downs.
        """
        versions = dict(self.versions)
        at = -1 if ledger.version is None else ledger.version
        for migration in migrations.migrations:
            version = migration.version
            if not is_lone_down(migration, versions.get(version)):
                continue
            if not count:
                versions.pop(version, None)
            elif version <= at:
                versions.setdefault(version, AppliedVersion(version, migration.name))
        return replace(self, versions=versions)

    def missing(self, migrations: MigrationSet) -> tuple[int, ...]:
        """Return the applied versions whose up file is missing."""
        missing = []
        for version in self.ascending:
            migration = migrations.by_version.get(version)
            had_up = self.versions[version].up is not None
            if migration is None or (had_up and migration.up is None):
                missing.append(version)
        return tuple(missing)


def _is_forced(entry: Attempt) -> bool:
    return (entry.direction, entry.tool) == ("force", "rung")


def is_lone_down(migration: Migration | None, applied: AppliedVersion | None) -> bool:
    """Whether a version has only a down, and no up of it is recorded either."""
    has_no_up = migration is not None and migration.up is None
    return has_no_up and (applied is None or applied.up is None)


def reconcile(
    history: Sequence[Attempt] | None,
    ledger: LedgerState,
    migrations: MigrationSet,
    dialect: Dialect = Dialect.POSTGRES,
) -> Applied:
    """
    Find what is applied by the history and the ledger.

    Args:
        history: every row, oldest first; None where there is none or it may not be read.
        ledger: its row now.
        migrations: the files.
        dialect: the SQL dialect of the database.
    """
    replayed, files, at = _Replay(history or ()), migrations.by_version, ledger.version
    replayed.remove_lone_downs(migrations, -1 if at is None else at)
    newest = replayed.newest
    unrecorded: tuple[int | None, ...] = ()
    if at is None and newest is not None:
        unrecorded = (None,)
    elif at is not None and at != newest:  # what another tool ran, or left, to be there
        between = (v for v in migrations.versions if v < at and (newest is None or v > newest))
        unrecorded = (*between, at)
    for version in unrecorded:
        migration = files.get(version) if version is not None else None
        name = migration.name if migration else ""
        replayed.move_to(version, AppliedVersion(version or 0, name))
    reopened = set()
    for version, applied in replayed.versions.items() if history is not None else ():
        migration = files.get(version) if applied.is_empty else None
        if migration and migration.up and not contents_of(migration.up.text, dialect).is_empty:
            reopened.add(version)
    return Applied(
        replayed.versions,
        history is not None,
        unrecorded,
        frozenset(reopened),
        frozenset(replayed.unreverted),
    )


def replay(history: Sequence[Attempt]) -> dict[int, AppliedVersion]:
    """Replay the rows of a history, and return what they leave applied."""
    return _Replay(history).versions


def unknown_rows(history: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Return the rows that this version cannot read: a newer Rung wrote them."""
    return tuple(
        entry
        for entry in history
        if entry.outcome is Outcome.UNKNOWN or entry.direction not in DIRECTIONS
    )


def described(entry: Attempt) -> str:
    """Describe such a row for people."""
    of = "" if entry.version is None else f" of version {entry.version}"
    return f"{entry.direction}{of}, written by {entry.tool} {entry.tool_version}"


class _Replay:
    """The applied versions while the rows are replayed, and the newest of them."""

    def __init__(self, history: Sequence[Attempt]) -> None:
        self.versions: dict[int, AppliedVersion] = {}
        self.newest: int | None = None
        self.unreverted: set[int] = set()
        self._interrupted: set[int] = set()
        """The versions whose last attempt was interrupted."""
        for entry in history:
            if entry.version is not None and entry.left_something:
                self._interrupted.add(entry.version)
            if entry.outcome is not Outcome.DONE:
                continue
            if entry.version is not None and entry.direction in _DECIDES:
                self._interrupted.discard(entry.version)
            self._apply(entry)

    def move_to(self, at: int | None, new: AppliedVersion) -> None:
        """Leave nothing above `at` applied, and `at` itself; keep its files that have run."""
        if at is None:
            self.versions.clear()
            self.newest = None
            return
        if self.newest is not None and self.newest > at:
            for version in [v for v in self.versions if v > at]:
                del self.versions[version]
        # A version that was forced without a file is where the ledger was put, and no more.
        for version, applied in list(self.versions.items()):
            forced = applied.entry is not None and applied.entry.direction == "force"
            if forced and not applied.has_files:
                del self.versions[version]
        before = self.versions.get(at)
        self.versions[at] = before if before is not None and before.has_files else new
        self.newest = at

    def remove_lone_downs(self, migrations: MigrationSet, above: int) -> None:
        """Remove the versions above the ledger that have only a down: nothing is left to revert."""
        for version in [v for v in self.versions if v > above]:
            if is_lone_down(migrations.by_version.get(version), self.versions[version]):
                self._remove(version)

    def _apply(self, entry: Attempt) -> None:
        version = entry.version
        if version is not None:
            self.unreverted.discard(version)
        if entry.direction in ("force", "baseline"):
            self._record(entry)
        elif version is None:
            return
        elif entry.direction in ("up", MARK_APPLIED):
            self.versions[version] = _applied(entry)
            self.newest = version if self.newest is None else max(self.newest, version)
        elif entry.direction in ("down", MARK_NOT_APPLIED):
            self._remove(version)
            if entry.ran_nothing and entry.error == NOT_REVERTED:
                self.unreverted.add(version)
        elif entry.direction == "edit" and version in self.versions:
            self._accept_edit(self.versions[version], entry)

    def _record(self, entry: Attempt) -> None:
        """Move to a version that was recorded without a run of ours."""
        self.move_to(entry.version, _applied(entry))
        if _is_forced(entry):  # a repair, unlike a person, has inspected the database
            for version in self._interrupted & self.versions.keys():
                self.versions[version] = self.versions[version]._replace(is_doubted=True)
        self._interrupted.clear()

    def _accept_edit(self, before: AppliedVersion, entry: Attempt) -> None:
        """
        Replace the files of an applied version by those of an edit.

        A down belongs to the up that it was recorded with: that of an edit which left the up
        unchanged does not belong to the attempt.
        """
        new = _applied(entry)
        same_up = new.up is None or (before.up and new.up.checksum == before.up.checksum)
        self.versions[before.version] = before._replace(
            name=entry.name or before.name,
            up=new.up or before.up,
            down=new.down or before.down,
            down_entry=before.down_entry if same_up else entry,
        )

    def _remove(self, version: int) -> None:
        self.versions.pop(version, None)
        if version == self.newest:
            self.newest = max(self.versions, default=None)


def _applied(entry: Attempt) -> AppliedVersion:
    up = _file(entry.up_checksum, entry.up_digest, entry)
    down = _file(entry.down_checksum, entry.down_digest, entry)
    # Of a row that only records, the file of that moment shows whether the up was empty.
    if entry.direction == "up":
        is_empty = entry.ran_nothing
    elif entry.direction == "baseline" and entry.up_checksum is None:
        is_empty = entry.down_checksum is not None
    else:
        records = entry.direction in ("baseline", "force", MARK_APPLIED)
        is_empty = records and entry.up_checksum == _EMPTY
    return AppliedVersion(entry.version or 0, entry.name, up, down, entry, entry, is_empty)


def _file(checksum: str | None, digest: str | None, entry: Attempt) -> AppliedFile | None:
    if checksum is None and digest is None:
        return None
    return AppliedFile(checksum, entry.checksum_formula, digest)
