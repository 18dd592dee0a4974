"""
Random files of transaction control, run by golang-migrate and by us: the same is left.

golang-migrate sends a file as one message, so what the server makes of its borders is what it
leaves. Not drawn is what may differ: what refuses a transaction, SAVEPOINT and LOCK outside a
block, COPY data. Only the dirty flag of a file that failed is ours to decide.

`RUNG_TEST_BORDERS=2000` draws so many; `RUNG_TEST_BORDERS_SEED` begins elsewhere.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from rung.errors import RungError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.engine.golang import Golang
    from tests.integration.engine.sites import Site

_FILES = int(os.environ.get("RUNG_TEST_BORDERS", "24"))
_SEED = int(os.environ.get("RUNG_TEST_BORDERS_SEED", "0"))
_LONGEST = 14
"""Statements in a file, and one more."""
_AT_ONCE = 12
"""Files in one test."""

_BASE = """
CREATE SCHEMA s;
CREATE TABLE log (number int, transaction bigint DEFAULT txid_current());
CREATE TABLE once (x int UNIQUE DEFERRABLE INITIALLY DEFERRED);
"""
_RESET = "DROP SCHEMA IF EXISTS s CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
_LEFT = """
SELECT 'table', schemaname || '.' || tablename, 0 FROM pg_tables
 WHERE schemaname IN ('public', 's') AND tablename !~ '^schema_migrations'
UNION ALL SELECT 'row', number::text, dense_rank() OVER (ORDER BY transaction) FROM public.log
UNION ALL SELECT 'once', x::text, count(*) FROM public.once GROUP BY x
 ORDER BY 1, 2, 3
"""
_OPENS = (
    *(["BEGIN"] * 4),
    "START TRANSACTION",
    "BEGIN READ ONLY",
    "BEGIN WORK ISOLATION LEVEL SERIALIZABLE",
)
_ENDS = ("COMMIT", "COMMIT", "END", "ROLLBACK", "ABORT WORK", "COMMIT AND NO CHAIN")
_CHAINS = ("COMMIT AND CHAIN", "ROLLBACK AND CHAIN")
_SAVES = ("SAVEPOINT p", "ROLLBACK TO p", "RELEASE p")
_WORK = (
    "INSERT INTO public.log VALUES ({n})",
    "INSERT INTO public.log VALUES ({n})",
    "CREATE TABLE t{n} ()",
    "DO $$ BEGIN INSERT INTO public.log VALUES ({n}); END $$",
    "CREATE TEMP TABLE u{n} ON COMMIT DROP AS SELECT 1 AS x",
    "SET LOCAL search_path = s",
    "/* nothing */",
)
_RARE = (
    "INSERT INTO public.once VALUES (1)",
    "INSERT INTO public.log SELECT x FROM u{before}",
    "SET search_path = s, public",
    "SET TRANSACTION READ ONLY",
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET CONSTRAINTS ALL IMMEDIATE",
    "SELECT 1 / ({n} % 4)",
    "SELECT 1 / 0",
    "SELEC 1",
)


class _Left(NamedTuple):
    """What a file came to."""

    failed: bool
    rows: list[tuple[Any, ...]]


def _statements(draw: random.Random) -> Iterator[str]:
    """Statements with every kind of control among them, the last block closed."""
    in_block = False
    for n in range(1, draw.randint(3, _LONGEST)):
        kind = draw.random()
        if kind < 0.12:
            in_block = True
            yield draw.choice(_OPENS)
        elif kind < 0.28:
            in_block = False
            yield draw.choice(_ENDS)
        elif kind < 0.36 and in_block:
            yield draw.choice(_CHAINS if kind < 0.33 else _SAVES)
        else:
            yield draw.choice(_RARE if kind > 0.94 else _WORK).format(n=n, before=n - 1)
    if in_block:
        yield draw.choice(_ENDS)


def _by_golang(site: Site, golang: Golang) -> _Left:
    site.ask(_RESET)
    code, _ = golang.run("up")
    if not code:
        assert site.ledger() == [(2, False)]
    return _Left(bool(code), site.ask(_LEFT))


def _by_us(site: Site) -> _Left:
    site.ask(_RESET)
    try:
        site.up()
    except RungError:
        return _Left(failed=True, rows=site.ask(_LEFT))
    assert site.ledger() == [(2, False)]
    return _Left(failed=False, rows=site.ask(_LEFT))


@pytest.mark.parametrize("first", range(_SEED, _SEED + _FILES, _AT_ONCE))
def test_a_random_file_leaves_what_golang_migrate_leaves(
    site: Site, golang: Golang, first: int
) -> None:
    """The same tables and rows, of the same transactions, and the same ledger where it passes."""
    site.add("1_base", _BASE)
    for seed in range(first, first + _AT_ONCE):
        text = ";\n".join(_statements(random.Random(seed)))
        site.add("2_drawn", text)

        assert (_by_us(site), seed, text) == (_by_golang(site, golang), seed, text)
