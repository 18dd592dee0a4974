"""The same files store the same data with `migrate` as with golang-migrate, and see the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.interop.twin_databases import state

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site
    from tests.interop.conftest import Make
    from tests.servers import Database

pytestmark = pytest.mark.oracle

_SETTINGS = (
    "datestyle = 'German, DMY'",
    "extra_float_digits = 0",
    "intervalstyle = 'sql_standard'",
    "timezone = 'Asia/Kathmandu'",
    "bytea_output = 'escape'",
)
"""Of the database; a library that asks for its own gets another text out of the same value."""

_MESSAGES = """
CREATE TABLE messages (id int PRIMARY KEY, day date, at timestamptz, said text);
INSERT INTO messages SELECT n, date '2024-02-27' + n, timestamptz 'epoch' + n * interval '11 h',
    'message ' || n FROM generate_series(1, 40) AS n;
INSERT INTO messages VALUES (99, '03.04.2024', '05.06.2024 07:08:09', 'a day or a month');
"""
_TEXTS = """
ALTER TABLE messages ADD COLUMN shown text;
UPDATE messages SET shown = concat_ws('|', day::text, at::text, (at - day)::text, (id / 7.0)::text,
    (0.1::float8 + 0.2)::text, (1.1::float4)::text, to_json(at), said::bytea::text,
    to_char(at, 'TZ'), day);
ALTER TABLE messages ALTER COLUMN day TYPE text USING day::text;
"""
_WHERE = """
CREATE TABLE settings AS SELECT name, setting FROM pg_settings WHERE context = 'user'
    AND name NOT IN ('application_name', 'client_connection_check_interval', 'lock_timeout',
        'idle_session_timeout', 'idle_in_transaction_session_timeout');
"""


@pytest.fixture(params=["postgres", "pgx5"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Give the scheme of a URL; each has a library of its own at golang-migrate."""
    return str(request.param)


@pytest.fixture
def peers(site: Site, twin_database: Database) -> Database:
    """Give both databases settings that show in a text; give the twin."""
    for name in (site.database.name, twin_database.name):
        for setting in _SETTINGS:
            site.ask(f"ALTER DATABASE {name} SET {setting}")
    return twin_database


def _both_go_up(site: Site, make: Make, scheme: str, twin: Database) -> None:
    """Ours on the site's database, golang-migrate on the twin; all is the same then."""
    ours = make("ours").having(scheme=scheme).run("up")
    url = f"{scheme}{twin.url.removeprefix('postgresql')}&sslmode=disable"
    theirs = make("real").having(url=url).run("up")

    assert (ours.code, theirs.code) == (0, 0), (ours, theirs)
    assert state(site.database) == state(twin)


def test_texts_of_dates_and_numbers(site: Site, make: Make, scheme: str, peers: Database) -> None:
    """Dates, times, floats and bytes that a migration stores as text are the same text."""
    site.add("1_messages", _MESSAGES).add("2_texts", _TEXTS)
    _both_go_up(site, make, scheme, peers)

    shown = site.ask("SELECT shown FROM messages WHERE id = 3")[0][0]
    day = {"postgres": "2024-03-01", "pgx5": "01.03.2024"}
    assert shown.startswith(f"{day[scheme]}|")


def test_settings_of_the_session(site: Site, make: Make, scheme: str, peers: Database) -> None:
    """Every setting that a session may change is the one that golang-migrate's has."""
    _both_go_up(site.add("1_where", _WHERE), make, scheme, peers)


def test_settings_in_the_url(site: Site, make: Make, scheme: str, twin_database: Database) -> None:
    """A setting of the URL's counts for both."""
    site.add("1_where", _WHERE)
    query = "work_mem=7MB&search_path=public,pg_catalog&TimeZone=Asia/Tokyo&extra_float_digits=0"
    ours = make("ours").having(scheme=scheme, query=query).run("up")
    url = f"{scheme}{twin_database.url.removeprefix('postgresql')}&sslmode=disable&{query}"
    theirs = make("real").having(url=url).run("up")

    assert (ours.code, theirs.code) == (0, 0), (ours, theirs)
    assert state(site.database).rows == state(twin_database).rows
    assert site.ask("SELECT setting FROM settings WHERE name = 'work_mem'") == [("7168",)]


def test_a_limit_for_locks_differs(
    site: Site, make: Make, scheme: str, twin_database: Database
) -> None:
    """A statement queues for 200 ms at a time where golang-migrate's has no limit."""
    site.add("1_limit", "CREATE TABLE limits AS SELECT current_setting('lock_timeout');")
    url = f"{scheme}{twin_database.url.removeprefix('postgresql')}&sslmode=disable"
    runs = (make("ours").having(scheme=scheme).run("up"), make("real").having(url=url).run("up"))

    assert [run.code for run in runs] == [0, 0], runs
    found = [state(one).rows["limits"] for one in (site.database, twin_database)]
    assert found == [[("(200ms)",)], [("(0)",)]]


def test_a_limit_of_the_urls_counts_for_both(
    site: Site, make: Make, scheme: str, twin_database: Database
) -> None:
    """A lock_timeout in the URL is both tools'."""
    site.add("1_limit", "CREATE TABLE limits AS SELECT current_setting('lock_timeout');")
    url = f"{scheme}{twin_database.url.removeprefix('postgresql')}&sslmode=disable"
    ours = make("ours").having(scheme=scheme, query="lock_timeout=3s").run("up")
    theirs = make("real").having(url=f"{url}&lock_timeout=3s").run("up")

    assert (ours.code, theirs.code) == (0, 0), (ours, theirs)
    found = [state(one).rows["limits"] for one in (site.database, twin_database)]
    assert found == [[("(3s)",)]] * 2


def test_a_file_leaves_its_settings_to_the_next(
    site: Site, make: Make, scheme: str, twin_database: Database
) -> None:
    """SET, a temporary table and a prepared statement of one file are there in the next."""
    site.add(
        "1_set", "SET datestyle = 'German'; SET my.word = 'kept'; CREATE TEMP TABLE t (x int);"
    )
    site.add("2_local", "SET LOCAL my.word = 'gone'; INSERT INTO t VALUES (1);")
    site.add("3_prepare", "BEGIN; PREPARE one AS SELECT 1; COMMIT;")
    seen = "date '2024-02-28'::text AS day, current_setting('my.word') AS word, (TABLE t) AS t"
    site.add("4_seen", f"CREATE TABLE seen AS SELECT {seen}; CREATE TABLE one AS EXECUTE one;")
    _both_go_up(site, make, scheme, twin_database)

    assert site.ask("TABLE seen") == [("28.02.2024", "kept", 1)]


def test_the_next_run_begins_afresh(site: Site, make: Make, scheme: str) -> None:
    """Settings end with the run, whichever tool comes next."""
    site.add("1_set", "SET my.word = 'kept';").add("2_a", "SELECT 1;")
    seen = "SELECT coalesce(current_setting('my.word', true), 'none') AS word"
    site.add("3_seen", f"CREATE TABLE seen AS {seen};").add("4_seen", f"INSERT INTO seen {seen};")
    ours, real = make("ours").having(scheme=scheme), make("real").having(scheme=scheme)

    assert [tool.run("up", "1").code for tool in (ours, real, ours, real)] == [0] * 4
    assert site.ask("TABLE seen") == [("none",), ("none",)]


def test_role_and_path_are_carried_along(
    site: Site, make: Make, scheme: str, twin_database: Database
) -> None:
    """SET ROLE and SET search_path of a file hold in the next, and the ledger stays where it is."""
    owner = f"owner_of_{site.database.name}"
    site.ask(f"CREATE ROLE {owner}")
    site.add(
        "1_who",
        f"CREATE SCHEMA s2 AUTHORIZATION {owner}; GRANT ALL ON schema_migrations TO {owner};\n"
        f"SET ROLE {owner}; SET search_path = s2;",
    )
    site.add("2_table", "CREATE TABLE t (x int);").add("3_row", "INSERT INTO t VALUES (1);")
    _both_go_up(site, make, scheme, twin_database)

    told = "SELECT schemaname::text, tableowner::text FROM pg_tables WHERE tablename = 't'"
    assert site.ask(told) == [("s2", owner)]
    assert site.ledger() == [(3, False)]
    twin_database.psql(f"DROP OWNED BY {owner}")
    site.ask(f"DROP OWNED BY {owner}; DROP ROLE {owner}")
