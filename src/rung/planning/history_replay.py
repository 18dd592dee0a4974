"""
The history's account of what is applied, brought to where the ledger stands. Pure.

"Applied" means "in the history". The history leaves the ledger at the highest version that
is applied; a ledger that stands elsewhere was moved by another tool. What that tool must
have run is then taken as applied, and a baseline records it: going up from W to V it ran
the files above W and up to V, and no other; going down it left none above V.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rung.ledger import DIRECTIONS, MARK_APPLIED, MARK_NOT_APPLIED, NOT_REVERTED, Outcome
from rung.script import checksum, contents_of, read
from rung.script.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rung.ledger import Attempt, LedgerState
    from rung.source import Migration, MigrationSet

_PLACED = ("force", "baseline")
_DECIDES = ("up", "down", MARK_APPLIED, MARK_NOT_APPLIED)
_EMPTY = checksum(read(""))
"""The checksum of a file that holds no statement."""


@dataclass(frozen=True, slots=True)
class AppliedFile:
    """What the history holds of one half: enough to see whether a file was edited."""

    checksum: str | None
    """None for a half whose SQL could not be read."""
    formula: int | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class AppliedVersion:
    """A version that is applied; the halves are None where the history has none of them."""

    version: int
    name: str = ""
    up: AppliedFile | None = None
    down: AppliedFile | None = None
    entry: Attempt | None = None
    """The row that made it applied."""
    down_entry: Attempt | None = None
    """The row that holds the down which belongs to the up: of that attempt, or of `accept-edit`."""
    is_empty: bool = False
    """Whether its up held no statement, so that nothing was run."""
    is_doubted: bool = False
    """Whether a later attempt of it stopped in the middle, and `force` passed over that."""

    @property
    def kept(self) -> bool:
        """Whether the history holds the files of it."""
        return self.up is not None or self.down is not None

    @property
    def ran(self) -> bool:
        """Whether a run of ours applied it: what the history keeps of it is what ran."""
        return self.entry is not None and self.entry.direction == "up"

    @property
    def is_forced(self) -> bool:
        """Whether nothing but `force` says that it is applied, or is so whole."""
        return self.is_doubted or (self.entry is not None and _is_forced(self.entry))


@dataclass(frozen=True, slots=True)
class Applied:
    """
    Every version that is applied.

    `recorded` is False where there is no history to go by: then the files at or below the
    ledger count as applied, and a late one cannot be told apart. `unrecorded` is what a
    baseline has to add, in order; None in it is the state before the first migration.
    `reopened` are those whose up was empty and holds SQL now: it is still to run.
    `unreverted` are those that a down passed over and that were not applied since.
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
        """The migrations at or below the ledger that were never applied, or ran empty."""
        current = ledger.version
        if current is None or not self.recorded:
            return ()
        below = (m for m in migrations.migrations if m.version <= current and m.up is not None)
        return tuple(m for m in below if self._is_out_of_order(m.version))

    def _is_out_of_order(self, version: int) -> bool:
        if version in self.reopened:
            return version < self._newest_done
        return version not in self.versions

    def again(self, migrations: MigrationSet) -> tuple[Migration, ...]:
        """The migrations that ran empty, hold SQL now, and have nothing newer applied."""
        reopened = (m for m in migrations.migrations if m.version in self.reopened)
        return tuple(m for m in reopened if m.version > self._newest_done)

    @property
    def _newest_done(self) -> int:
        """The highest version of which nothing is still to run."""
        return max((v for v in self.versions if v not in self.reopened), default=-1)

    def lone_downs(
        self, migrations: MigrationSet, ledger: LedgerState, *, count: bool = False
    ) -> Applied:
        """
        Leave the versions that have only a down out, or count those at or below the ledger in.

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
        """The applied versions whose up file is not there any more."""
        return tuple(
            version
            for version in self.ascending
            if _is_missing(self.versions[version], migrations.by_version.get(version))
        )


def _is_forced(entry: Attempt) -> bool:
    return (entry.direction, entry.tool) == ("force", "rung")


def is_lone_down(migration: Migration | None, known: AppliedVersion | None) -> bool:
    """Whether a version has only a down, and no up of it is recorded either."""
    return migration is not None and migration.up is None and (known is None or known.up is None)


def _is_missing(applied: AppliedVersion, migration: Migration | None) -> bool:
    return migration is None or (applied.up is not None and migration.up is None)


def reconcile(
    history: Sequence[Attempt] | None,
    ledger: LedgerState,
    migrations: MigrationSet,
    dialect: Dialect = Dialect.POSTGRES,
) -> Applied:
    """
    Give what is applied.

    Args:
        history: every row, oldest first; None where there is none or it may not be read.
        ledger: as it stands.
        migrations: the files there are now.
        dialect: the SQL that the database reads.
    """
    account = _Account(history or ())
    at = ledger.version
    account.forget_lone_downs(migrations, -1 if at is None else at)
    left = account.newest
    found = () if at == left else _found(at, left, migrations)
    for version in found:
        account.place(version, AppliedVersion(version or 0, _name(version, migrations)))
    return Applied(
        account.versions,
        history is not None,
        found,
        _reopened(account.versions, migrations, dialect) if history is not None else frozenset(),
        frozenset(account.unreverted),
    )


def _reopened(
    versions: Mapping[int, AppliedVersion], migrations: MigrationSet, dialect: Dialect
) -> frozenset[int]:
    """The versions that ran empty and whose file holds SQL now."""
    empty = (version for version, known in versions.items() if known.is_empty)
    files = ((version, migrations.by_version.get(version)) for version in empty)
    return frozenset(
        version
        for version, migration in files
        if migration and migration.up and not contents_of(migration.up.text, dialect).is_empty
    )


def replay(history: Sequence[Attempt]) -> dict[int, AppliedVersion]:
    """What the rows of a history leave applied, one after the other."""
    return _Account(history).versions


def unknown_rows(history: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """The rows that cannot be read here: a newer Rung wrote them."""
    return tuple(
        entry
        for entry in history
        if entry.outcome is Outcome.UNKNOWN or entry.direction not in DIRECTIONS
    )


def described(stranger: Attempt) -> str:
    """One of these, in words."""
    of = "" if stranger.version is None else f" of version {stranger.version}"
    return f"{stranger.direction}{of}, written by {stranger.tool} {stranger.tool_version}"


class _Account:
    """The applied versions while rows are gone through, and the newest of them."""

    def __init__(self, history: Sequence[Attempt]) -> None:
        self.versions: dict[int, AppliedVersion] = {}
        self.newest: int | None = None
        self.unreverted: set[int] = set()
        self._stopped: set[int] = set()
        """The versions whose last attempt stopped in the middle."""
        for entry in history:
            if entry.version is not None and entry.left_something:
                self._stopped.add(entry.version)
            if entry.outcome is not Outcome.DONE:
                continue
            if entry.version is not None and entry.direction in _DECIDES:
                self._stopped.discard(entry.version)
            self._take(entry)

    def place(self, at: int | None, new: AppliedVersion) -> None:
        """Nothing above `at` is applied, and `at` is; texts that are known to have run stay."""
        if at is None:
            self.versions.clear()
            self.newest = None
            return
        if self.newest is not None and self.newest > at:
            for version in [v for v in self.versions if v > at]:
                del self.versions[version]
        self._forget_bare_positions()
        known = self.versions.get(at)
        self.versions[at] = known if known is not None and known.kept else new
        self.newest = at

    def forget_lone_downs(self, migrations: MigrationSet, above: int) -> None:
        """Nothing of a version that has only a down is left to revert once the ledger is below."""
        for version in [v for v in self.versions if v > above]:
            if is_lone_down(migrations.by_version.get(version), self.versions[version]):
                self._remove(version)

    def _forget_bare_positions(self) -> None:
        """A version that was forced without a file is where the ledger was put, and no more."""
        for version, known in list(self.versions.items()):
            bare = known.entry is not None and known.entry.direction == "force" and not known.kept
            if bare:
                del self.versions[version]

    def _take(self, entry: Attempt) -> None:
        version = entry.version
        if version is not None:
            self.unreverted.discard(version)
        if entry.direction in _PLACED:
            self.place(version, _applied(entry))
            self._doubt(entry)
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
            self._accept(self.versions[version], entry)

    def _doubt(self, entry: Attempt) -> None:
        """A person's word passes over what stopped in the middle; a repair has looked at it."""
        if _is_forced(entry):
            for version in self._stopped & self.versions.keys():
                self.versions[version] = replace(self.versions[version], is_doubted=True)
        self._stopped.clear()

    def _accept(self, held: AppliedVersion, entry: Attempt) -> None:
        """
        Take the texts of an edit over.

        A down belongs to the up that it was recorded with: that of an edit which left the up
        alone is no part of the attempt.
        """
        new = _applied(entry)
        same_up = new.up is None or (held.up is not None and new.up.checksum == held.up.checksum)
        self.versions[held.version] = replace(
            held,
            name=entry.name or held.name,
            up=new.up or held.up,
            down=new.down or held.down,
            down_entry=held.down_entry if same_up else entry,
        )

    def _remove(self, version: int) -> None:
        self.versions.pop(version, None)
        if version == self.newest:
            self.newest = max(self.versions, default=None)


def _found(at: int | None, left: int | None, migrations: MigrationSet) -> tuple[int | None, ...]:
    """What another tool must have run, or left, for the ledger to be where it is."""
    if at is None:
        return (None,)
    above = [v for v in migrations.versions if v < at and (left is None or v > left)]
    return (*above, at)


def _applied(entry: Attempt) -> AppliedVersion:
    return AppliedVersion(
        entry.version or 0,
        entry.name,
        _kept(entry.up_checksum, entry.up_digest, entry),
        _kept(entry.down_checksum, entry.down_digest, entry),
        entry,
        entry,
        _held_nothing(entry),
    )


def _held_nothing(entry: Attempt) -> bool:
    """Whether an up ran nothing; of what was only recorded, the file of that moment tells."""
    if entry.direction == "up":
        return entry.ran_nothing
    if entry.direction == "baseline" and entry.up_checksum is None:
        return entry.down_checksum is not None
    recorded = entry.direction in ("baseline", "force", MARK_APPLIED)
    return recorded and entry.up_checksum == _EMPTY


def _kept(checksum: str | None, digest: str | None, entry: Attempt) -> AppliedFile | None:
    known = checksum is not None or digest is not None
    return AppliedFile(checksum, entry.checksum_formula, digest) if known else None


def _name(version: int | None, migrations: MigrationSet) -> str:
    migration = migrations.by_version.get(version) if version is not None else None
    return migration.name if migration else ""
