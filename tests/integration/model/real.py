"""
The real side: a folder, a PostgreSQL and Rung, which do what a command says.

Looks with queries of its own, and reads from the history's rows what is applied, by the
one rule that they are read by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.integration.model.commands import (
    AcceptEdit,
    Command,
    Down,
    DropHistory,
    Force,
    Goal,
    Goto,
    Other,
    Remove,
    Up,
    Write,
)
from tests.integration.model.golang import moves
from tests.integration.model.model import Outcome
from tests.integration.model.texts import LOG, Pair, Text

import rung
from rung.errors import EditedMigrations, MigrationFailed, OutOfOrderMigrations, RungError

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from rung.planning.plan import IfAhead

_LEDGER, _HISTORY = "public.schema_migrations", "public.schema_migrations_history"
_MAKE_LEDGER = (
    f"CREATE TABLE IF NOT EXISTS {_LEDGER} (version bigint not null primary key, "
    "dirty boolean not null)"
)


class Facts(NamedTuple):
    """All that may change, read with plain queries; None for a table that is not there."""

    ran: list[str]
    ledger: list[tuple[int, bool]] | None
    history: list[tuple[Any, ...]] | None

    @property
    def applied(self) -> set[int]:
        """What the history says is applied, its rows read in order."""
        applied: set[int] = set()
        for version, direction, outcome in (row[:3] for row in self.history or ()):
            if outcome != "done" or direction == "edit":
                continue
            if direction in {"force", "baseline"}:
                applied = {v for v in applied if version is not None and v < version}
            if direction == "down":
                applied.discard(version)
            elif version is not None:
                applied.add(version)
        return applied


class Real:
    """One database, made empty again for each example, and one folder."""

    def __init__(
        self, connection: psycopg.Connection[tuple[Any, ...]], conninfo: str, folder: Path
    ) -> None:
        self._connection, self._folder = connection, folder
        self._migrator = rung.Migrator(conninfo, folder)
        self._files: dict[int, Pair] = {}

    def begin(self, *, foreign: bool) -> Facts:
        """Empty the database and the folder; `foreign` makes a table of somebody's."""
        self._do("DROP SCHEMA IF EXISTS public, played CASCADE")
        self._do(f"CREATE SCHEMA public; {LOG}")
        if foreign:
            self._do("CREATE TABLE public.users (id int)")
        self._folder.mkdir(exist_ok=True)
        for file in self._folder.iterdir():
            file.unlink()
        self._files = {}
        return self.facts()

    def obey(self, command: Command) -> Outcome:
        """Execute an action; the outcome is empty for one that is not a command of Rung."""
        match command:
            case Up() | Down() | Goto() | Force() | AcceptEdit():
                return self._ask_rung(command)
            case Write(version, pair):
                self._write(version, pair)
            case Remove(version):
                self._write(version, Pair(None, None))
            case Other():
                self._another_tool(command)
            case DropHistory():
                self._do(f"DROP TABLE IF EXISTS {_HISTORY}")
        return Outcome()

    # --- Rung ----------------------------------------------------------------------------

    def _ask_rung(self, command: Goal | Force | AcceptEdit) -> Outcome:
        try:
            return self._through_the_library(command)
        except RungError as error:
            return _outcome_of(error)

    def _through_the_library(self, command: Goal | Force | AcceptEdit) -> Outcome:
        match command:
            case Up(limit, allow_out_of_order, ahead_is_ok):
                policy: IfAhead = "ok" if ahead_is_ok else "fail"
                report = self._migrator.up(
                    limit, allow_out_of_order=allow_out_of_order, if_ahead=policy
                )
            case Down(limit):
                report = self._migrator.down(limit)
            case Goto(version, allow_out_of_order):
                report = self._migrator.goto(version, allow_out_of_order=allow_out_of_order)
            case Force(target, blindly):
                self._migrator.force(target, allow_missing_file=blindly)
                return Outcome()
            case AcceptEdit(version):
                self._migrator.accept_edit(version)
                return Outcome()
        assert report.version == self._ledger_version()
        return Outcome(steps=tuple((step.direction, step.version) for step in report.steps))

    def states(self) -> dict[int, str]:
        """What `rung status` says of each version, with a star where it has a note."""
        lines = self._migrator.status().lines
        return {line.version: line.state + ("*" if line.note else "") for line in lines}

    # --- the folder, and another tool ----------------------------------------------------

    def _write(self, version: int, pair: Pair) -> None:
        for half, text in (("up", pair.up), ("down", pair.down)):
            file = self._folder / f"{version:04}_name.{half}.sql"
            if text is None:
                file.unlink(missing_ok=True)
            else:
                file.write_bytes(text.sql.encode())
        self._files[version] = pair
        if pair == Pair(None, None):
            del self._files[version]

    def _another_tool(self, command: Other) -> None:
        """What golang-migrate writes: three transactions for each migration."""
        self._do(_MAKE_LEDGER)
        rows = self._ledger() or [(-1, False)]
        ledger = None if rows[0][0] == -1 else rows[0][0]
        for target, text in moves(command, self._files, ledger, dirty=rows[0][1]):
            if text is not None:
                self._set_ledger(target, dirty=True)
                if not self._runs(text):
                    return
            self._set_ledger(target, dirty=False)

    def _runs(self, text: Text) -> bool:
        from psycopg.errors import DivisionByZero

        try:
            self._do(text.sql.removeprefix("\ufeff"))
        except DivisionByZero:
            return False
        return True

    def _set_ledger(self, version: int | None, *, dirty: bool) -> None:
        insert = ""
        if version is not None or dirty:
            row = -1 if version is None else version
            insert = f"INSERT INTO {_LEDGER} VALUES ({row}, {dirty});"
        self._do(f"BEGIN; DELETE FROM {_LEDGER}; {insert} COMMIT")

    # --- looking -------------------------------------------------------------------------

    def facts(self) -> Facts:
        """All that may have changed."""
        return Facts(
            [row[0] for row in self._ask("SELECT body FROM played.log ORDER BY id")],
            self._ledger(),
            self._rows(_HISTORY, "version, direction, outcome, up_sql, down_sql", "id"),
        )

    def _ledger(self) -> list[tuple[int, bool]] | None:
        rows = self._rows(_LEDGER, "version, dirty", "version")
        return None if rows is None else [(row[0], row[1]) for row in rows]

    def _ledger_version(self) -> int | None:
        return next((version for version, _ in self._ledger() or ()), None)

    def _rows(self, table: str, columns: str, order: str) -> list[tuple[Any, ...]] | None:
        if self._ask(f"SELECT to_regclass('{table}')") == [(None,)]:
            return None
        return self._ask(f"SELECT {columns} FROM {table} ORDER BY {order}")

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode()).fetchall()

    def _do(self, script: str) -> None:
        self._connection.execute(script.encode())


def _outcome_of(error: RungError) -> Outcome:
    name = type(error).__name__
    match error:
        case OutOfOrderMigrations():
            return Outcome(name, tuple(error.out_of_order))
        case EditedMigrations(edits=edits):
            return Outcome(name, tuple(edit.version for edit in edits))
        case MigrationFailed(version=version, applied=applied):
            return Outcome(name, (*applied, version))
    return Outcome(name)
