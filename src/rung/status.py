"""What a database's migrations look like side by side: files, ledger and history. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.ledger import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rung.drivers.found import Look
    from rung.ledger import HistoryEntry, LedgerState
    from rung.migrations import MigrationSet


@dataclass(frozen=True, slots=True)
class StatusLine:
    """
    One version.

    `state` is applied, pending, dirty, or missing (in the ledger, without a file).
    `finished` and `seconds` are None where the history knows nothing of it.
    """

    version: int
    name: str
    state: str
    finished: datetime | None = None
    seconds: float | None = None
    checksum: str | None = None
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole picture, as one look found it."""

    database: str
    schema: str
    server: str
    source: str
    ledger: LedgerState
    ledger_exists: bool
    history_exists: bool
    lines: tuple[StatusLine, ...]
    warnings: tuple[str, ...] = ()

    @property
    def pending(self) -> tuple[int, ...]:
        """The versions that `up` would apply."""
        return tuple(line.version for line in self.lines if line.state == "pending")


def make_status(migrations: MigrationSet, look: Look) -> Status:
    """Compare the migrations with what a look found."""
    latest = _latest(look.history or ())
    lines = [
        _line(migration.version, migration.name, look.ledger, latest)
        for migration in migrations.migrations
    ]
    current = look.ledger.version
    if current is not None and current not in migrations.by_version:
        known = latest.get(current)
        state = "dirty" if look.ledger.dirty else "missing"
        lines.append(StatusLine(current, known.name if known else "", state))
        lines.sort(key=lambda line: line.version)
    return Status(
        database=look.place.database,
        schema=look.place.schema,
        server=look.place.server,
        source=migrations.source,
        ledger=look.ledger,
        ledger_exists=look.ledger_exists,
        history_exists=look.history is not None,
        lines=tuple(lines),
        warnings=migrations.warnings,
    )


def _latest(history: Sequence[HistoryEntry]) -> dict[int, HistoryEntry]:
    """The last finished move of each version; a version gone down again has none."""
    latest: dict[int, HistoryEntry] = {}
    for entry in history:
        if entry.version is None or entry.outcome is not Outcome.DONE:
            continue
        if entry.direction == "up":
            latest[entry.version] = entry
        elif entry.direction == "down":
            latest.pop(entry.version, None)
    return latest


def _line(
    version: int, name: str, ledger: LedgerState, latest: dict[int, HistoryEntry]
) -> StatusLine:
    if ledger.dirty and version == ledger.version:
        return StatusLine(version, name, "dirty")
    if ledger.version is None or version > ledger.version:
        return StatusLine(version, name, "pending")
    entry = latest.get(version)
    if entry is None or entry.finished is None:
        return StatusLine(version, name, "applied")
    seconds = (entry.finished - entry.started).total_seconds()
    return StatusLine(
        version, name, "applied", entry.finished, seconds, entry.up_checksum, entry.tool
    )
