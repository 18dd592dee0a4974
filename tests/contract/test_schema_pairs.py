"""The snapshot is as sharp as pg_dump: pairs of schemas that differ in one attribute."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.contract.schema_pairs import SAME, Pair, pairs, prepare, snapshot_after, snapshot_of
from tests.servers import Database, named_database

from rung.embedded import find
from rung.snapshot import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.embedded import EmbeddedServer
    from rung.snapshot import Snapshot

_SECRET = "the values of secrets are not read"
_ROWS = "a large object is data, which pg_dump -s leaves out as well"
_NOT_IN_SCHEMA = "pg_dump writes none of it"
NOT_SEEN = {
    "column: default null or none": "DEFAULT NULL is no default",
    "table: grantor": "a superuser grants as the owner",
    "type: table row type revoke": _NOT_IN_SCHEMA,
    "extension: member owner": _NOT_IN_SCHEMA,
    "extension: trigger on member table": _NOT_IN_SCHEMA,
    "extension: index on member table": _NOT_IN_SCHEMA,
    "foreign: server owner": "the owner is the same one",
    "foreign: server secret value": _SECRET,
    "foreign: server order of options": "options have no order",
    "system: large object": _ROWS,
    "system: large object comment": _ROWS,
    "system: large object grant": _ROWS,
}
"""Pairs that snapshots do not tell apart, with the reason."""
NOT_SEEN_ON_14 = {"schema: public create granted": "everybody may create in public up to 14"}
ONLY_PG_DUMP = {
    "foreign: server secret value": _SECRET,
    "same: grant order": "the order of grants has no meaning",
}
"""Pairs that pg_dump tells apart and snapshots do not, with the reason."""
ONLY_SNAPSHOTS = {
    "index: invalid": "an index that a failed concurrent build left is not used",
    "view: mv populated": "a materialized view without data cannot be read",
    "extension: version": "another version of an extension has other functions",
    "language: trusted": "it decides who may write functions in it",
}
"""Pairs that snapshots tell apart and pg_dump does not, with the reason."""
DIFFER_ON = {
    18: ("same: not null renamed column (18 names)", "same: not null renamed table"),
    14: ("same: public made again",),
}
"""Pairs of two ways to the same schema that pg_dump writes differently, by major version."""


@pytest.fixture(scope="module")
def truth(server: EmbeddedServer) -> Iterator[Database]:
    """Make the database that the pairs name, with their roles and their tablespace."""
    with named_database(server, "truth") as database:
        prepare(database)
        yield database
        database.psql("DROP TABLESPACE truth_ts")
        database.psql("DROP ROLE truth_a, truth_b")


@pytest.fixture(scope="module")
def snapshots(truth: Database) -> Iterator[Callable[[str], Snapshot]]:
    """Read snapshots on one connection, each schema once: many pairs share one side."""
    with truth.connect() as connection:

        @cache
        def snapshot(sql: str) -> Snapshot:
            if "@" not in sql:
                return snapshot_after(connection, sql)
            with named_database(truth.server, "truth_alone") as alone, alone.connect() as other:
                return snapshot_of(other, sql)

        yield snapshot


def _skip_unless_possible(pair: Pair, truth: Database) -> None:
    if truth.major < pair.since:
        pytest.skip(f"PostgreSQL {pair.since} and later have it")
    if "icu" in pair.one + pair.other:
        try:
            truth.psql("BEGIN; CREATE COLLATION icu (provider = icu, locale = 'en'); ROLLBACK")
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("this server is built without ICU")


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: pair.key)
def test_a_pair_of_schemas(
    pair: Pair, truth: Database, snapshots: Callable[[str], Snapshot]
) -> None:
    """Two schemas that pg_dump writes differently have different snapshots, and only these."""
    _skip_unless_possible(pair, truth)
    one, other = (snapshots(pair.setup + part) for part in (pair.one, pair.other))

    major = min(truth.major, 18)
    unseen = NOT_SEEN | (NOT_SEEN_ON_14 if major < 15 else {})
    is_same = (pair.group == SAME or pair.key in unseen) and pair.key not in DIFFER_ON.get(
        major, ()
    )
    assert (differences(one, other) == ()) == is_same


_JUDGED = [pair for pair in pairs() if pair.key in {*NOT_SEEN, *ONLY_PG_DUMP, *ONLY_SNAPSHOTS}]


@pytest.mark.slow
@pytest.mark.parametrize("pair", _JUDGED, ids=lambda pair: pair.key)
def test_the_lists_are_pg_dumps_verdict(pair: Pair, truth: Database) -> None:
    """What is listed as seen by one side alone is what the real pg_dump says."""
    _skip_unless_possible(pair, truth)
    program = find(truth.major).bin_dir / "pg_dump"
    if not program.exists():
        pytest.skip("these binaries have no pg_dump")
    texts = [_dump(str(program), truth, pair.setup + part) for part in (pair.one, pair.other)]

    assert (texts[0] != texts[1]) == (pair.key in ONLY_PG_DUMP)


def _dump(program: str, truth: Database, sql: str) -> str:
    with named_database(truth.server, "truth_alone") as alone:
        with alone.connect() as connection:
            snapshot_of(connection, sql)
        ran = subprocess.run(
            [program, "--schema-only", alone.conninfo], capture_output=True, text=True, check=True
        )
    return re.sub(r"^(--.*|\\(un)?restrict .*|)\n", "", ran.stdout, flags=re.MULTILINE)
