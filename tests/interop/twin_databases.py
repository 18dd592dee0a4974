"""What two databases that went the same way have to have in common: ledger, schema and data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.servers import Database

_SCHEMA = (Path(__file__).parents[1] / "integration" / "schema_of.sql").read_text(encoding="utf-8")
_TABLES = (
    "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' "
    "AND tablename NOT LIKE 'schema_migrations%' ORDER BY 1"
)
_OURS = "schema_migrations"


class State(NamedTuple):
    """A database as a person sees it; the history, which one of the two has alone, is left out."""

    ledger: list[tuple[int, bool]]
    schema: list[str]
    rows: dict[str, list[tuple[Any, ...]]]


def state(database: Database) -> State:
    """All of it; a ledger that is not there is one without a row."""
    with database.connect() as connection:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql.encode()).fetchall()

        there = ask(f"SELECT to_regclass('{_OURS}') IS NOT NULL")[0][0]
        ledger = ask(f"SELECT version, dirty FROM {_OURS}") if there else []
        schema = [line for line in ask(_SCHEMA)[0][0].splitlines() if _OURS not in line]
        tables = [name for (name,) in ask(_TABLES)]
        rows = {name: ask(f"SELECT t::text FROM {name} t ORDER BY 1") for name in tables}
    return State([(int(version), dirty) for version, dirty in ledger], schema, rows)
