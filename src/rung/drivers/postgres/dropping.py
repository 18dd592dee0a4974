"""The statements that remove everything in a schema, from the list of what is in it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.statements import statement
from rung.errors import QueryFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.drivers.postgres.names import Names
    from rung.errors import ServerMessage
    from rung.losses import Loss


def drop_statements(losses: Sequence[Loss]) -> tuple[Sql, ...]:
    """
    One DROP … CASCADE for each object; what an earlier cascade took is no error.

    Args:
        losses: objects whose `table` is their quoted, qualified name as the catalog gives it.
    """
    return tuple(Sql(f"DROP {loss.kind.upper()} IF EXISTS {loss.table} CASCADE") for loss in losses)


def everything_question(names: Names, schema: str | None) -> Sql:
    """The question for every object of a schema, and the history, but not the lease."""
    return statement(
        "everything",
        schema=quoting.text(schema),
        history_schema=quoting.text(names.history.schema),
        history_name=quoting.text(names.history.name),
        lease_schema=quoting.text(names.lease.schema),
        lease_name=quoting.text(names.lease.name),
    )


def drop_refused(server: ServerMessage) -> QueryFailed:
    """The error of a drop that the server refused."""
    return QueryFailed(
        "The server refuses the drop: " + "\n".join(server.lines()),
        "Nothing was removed. Connect as a role that owns all that is listed, or name "
        "that role with --role.",
        server.sqlstate,
    )
