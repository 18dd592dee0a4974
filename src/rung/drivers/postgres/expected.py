"""Asks the catalog which of the names that files make are not there: one question, reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.postgres import quoting
from rung.drivers.postgres.quoting import Sql
from rung.drivers.postgres.statements import statement
from rung.expected import TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.expected import ExpectedName


def absent_question(names: Sequence[ExpectedName], schema: str | None, *, anywhere: bool) -> Sql:
    """
    The question for the numbers, from 0, of the names that are not there.

    Args:
        names: at least one.
        schema: the ledger's; what was made beside it is found there, whatever the search path.
        anywhere: whether a name without a schema may be in any.
    """
    return statement(
        "absent_names",
        wanted=Sql(", ".join(_row(number, name) for number, name in enumerate(names))),
        anywhere=quoting.truth(anywhere),
        ledger_schema=quoting.text(schema),
    )


def _row(number: int, name: ExpectedName) -> str:
    """A cast to `name` cuts a name off where the server does."""
    texts = (name.schema or None, name.name, name.column or None)
    parts = (f"{quoting.text(text)}::pg_catalog.name" for text in texts)
    is_type = quoting.truth(name.catalog == TYPE)
    return f"({number}, {is_type}, {', '.join(parts)})"
