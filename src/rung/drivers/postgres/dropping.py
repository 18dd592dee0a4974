"""The statements that remove everything in a schema, from the list of what is in it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.postgres.quoting import Sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.losses import Loss


def drop_statements(losses: Sequence[Loss]) -> tuple[Sql, ...]:
    """
    One DROP … CASCADE for each object; what an earlier cascade took is no error.

    Args:
        losses: objects whose `table` is their quoted, qualified name as the catalog gives it.
    """
    return tuple(Sql(f"DROP {loss.kind.upper()} IF EXISTS {loss.table} CASCADE") for loss in losses)
