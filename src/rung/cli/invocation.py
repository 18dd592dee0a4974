"""
One call of a command: its arguments, its options and its streams.

Makes the library's `Migrator` for it, and starts an embedded server if the database is one.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rung.cli.config import EMBEDDED
from rung.database import Database
from rung.options import RUNG
from rung.redaction import redacted_word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rung.cancellation import CancelToken
    from rung.cli.arguments import ParsedArguments
    from rung.cli.options import CliSettings
    from rung.events import Event, Listener
    from rung.migrator import Migrator
    from rung.planning.plan import Goal
    from rung.render.terminal import Console


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the function of a command gets."""

    request: ParsedArguments
    settings: CliSettings
    console: Console

    @property
    def goal(self) -> Goal:
        """The goal of the command, with the policy for a database that is ahead."""
        from rung.planning.plan import Up

        goal = self.request.goal or Up()
        if isinstance(goal, Up):
            return replace(goal, if_ahead=self.settings.if_ahead or "compatible")
        return goal

    def json(self, content: dict[str, Any]) -> None:
        """Print a result as JSON."""
        from rung.render import json_output as shapes

        self.console.data(shapes.dumps(self.request.command, content, self.console.completed))


@contextmanager
def open_database(call: Invocation) -> Iterator[str]:
    """
    Yield the database of a call; an embedded server runs until the block ends.

    Raises:
        UsageError: no database was given.
        EmbeddedError: the embedded server cannot be used.
    """
    named = call.settings.need_database()
    kind, _, folder = named.partition(":")
    if kind != EMBEDDED:
        yield named
        return
    from rung.embedded import start

    def say(text: str) -> None:
        call.console.detail(f"Embedded server: {text}.")

    say("starting a PostgreSQL server")
    with start(Path(folder) if folder else None, say=say) as server:
        end = (
            f"its data stay in {redacted_word(folder)}"
            if folder
            else "it and its data end with this command"
        )
        say(f"PostgreSQL {server.version} runs; {end}")
        yield server.conninfo()


def make_migrator(
    call: Invocation,
    database: str,
    *,
    source: str = "",
    listener: Listener | None = None,
    stop: CancelToken | None = None,
) -> Migrator:
    """
    Make the `Migrator` of a call.

    Args:
        call: its settings are used.
        database: as `open_database` gave it.
        source: empty if the command reads no migrations.
        listener: for commands that run migrations; without it only warnings are shown.
        stop: for commands that run migrations.
    """
    from rung.migrator import Migrator

    settings = call.settings
    named = Database(
        database,
        settings.role,
        settings.ledger_table,
        settings.history_table,
        ledger_writers=settings.ledger_writers,
    )
    bound = settings.lock_retry_for
    return Migrator(
        named,
        source,
        listener=listener or partial(_say_event, call.console),
        stop=stop,
        wait_for_lock=settings.wait_for_lock,
        atomic=call.settings.atomic,
        lock_timeout=settings.lock_timeout,
        lock_retry_for=RUNG.lock_retry_for if bound is None else bound,
        cancel_blockers=call.settings.cancel_blockers,
    )


def _say_event(console: Console, event: Event) -> None:
    """Show the events of a command that runs no migrations: warnings and waiting for the lock."""
    from rung.render.progress import ProgressLines

    ProgressLines(console.say, console.warn, console.err_style, verbose=console.verbose)(event)
