"""The schema of a PostgreSQL database as a `Snapshot`: the one message, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.message import ours
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.statements import statement
from rung.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.drivers.postgres.names import Names
    from rung.drivers.postgres.wire import Reply

_KEEP_PATH = Sql(
    "SELECT pg_catalog.set_config('rung.search_path', pg_catalog.current_setting('search_path'), "
    "true)"
)
_PATH = Sql("SET LOCAL search_path = pg_catalog, pg_temp")
"""Names of others come qualified, and no temporary table stands before a catalog."""
_PUT_BACK_PATH = Sql("SELECT set_config('search_path', current_setting('rung.search_path'), true)")
"""For a transaction that was open before, and goes on."""
_NO_JIT = Sql("SET LOCAL jit = off")
"""To compile these once takes seconds, and to run them milliseconds."""
_BEFORE = (_KEEP_PATH, _PATH, _NO_JIT)
_PARTS = ("snapshot_tables", "snapshot_code", "snapshot_about")


def question(names: Names) -> Sql:
    """
    The message that asks for everything.

    Args:
        names: ledger, history and lease, with their schemas; they are left out.
    """
    scope = statement(
        "snapshot_scope",
        ledger_schema=quoting.text(names.ledger.schema),
        ledger=quoting.text(names.ledger.name),
        lease=quoting.text(names.lease.name),
        history_schema=quoting.text(names.history.schema),
        history=quoting.text(names.history.name),
    )
    parts = (statement(part, scope=scope) for part in _PARTS)
    return Sql(ours("", *_BEFORE, *parts, _PUT_BACK_PATH).sql)


def answer(reply: Reply) -> Snapshot:
    """The snapshot that a whole reply to the question is."""
    return Snapshot.of(_entries(reply))


def _entries(reply: Reply) -> Iterator[tuple[str, str]]:
    for number in range(len(_PARTS)):
        for identity, text in reply.rows(len(_BEFORE) + number):
            yield identity or "", text or ""
