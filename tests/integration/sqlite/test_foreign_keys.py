"""A table that is rebuilt costs no row of another: whatever way a file turns foreign keys off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.errors import AtomicRefused, MigrationFailed
from rung.events import Notice
from rung.planning.plan import Down

if TYPE_CHECKING:
    from tests.integration.sqlite.sites import Site

FAMILY = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users ON DELETE CASCADE);
CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users ON DELETE SET NULL);
INSERT INTO users VALUES (1, 'ann'), (2, 'bob');
INSERT INTO posts VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO notes VALUES (1, 1);
"""
REBUILD = """
CREATE TABLE users_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO users_new SELECT id, name FROM users WHERE id <> {left_out};
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
"""
LOSSLESS, LOSING = REBUILD.format(left_out=0), REBUILD.format(left_out=2)
RENAMED_FIRST = """
ALTER TABLE users RENAME TO users_old;
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO users SELECT id, name FROM users_old;
DROP TABLE users_old;
"""
COPIED = """
CREATE TABLE keep AS SELECT * FROM users;
DROP TABLE users;
{} (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO users SELECT * FROM keep;
DROP TABLE keep;
"""
MADE = ["CREATE TABLE users", 'create table if not exists main."Users"', "CREATE TABLE [users]"]
OFF = [
    "PRAGMA foreign_keys=OFF;",
    'PRAGMA "foreign_keys" = 0;',
    "PRAGMA main.foreign_keys(no);",
    "pragma /* off */ [foreign_keys]\n=\n'false';",
    "PRAGMA `foreign_keys`(-- off\noff);",
    "PRAGMA foreign_keys = -1;",
    "PRAGMA temp.foreign_keys=256;",
    "PRAGMA foreign_keys = nonsense;",
    "EXPLAIN PRAGMA foreign_keys = off;",
]
FORMS = {
    "plain": "{off}{body}",
    "on again": "{off}{body}PRAGMA foreign_keys=ON;",
    "outside its BEGIN": "{off}BEGIN;{body}COMMIT;PRAGMA foreign_keys=ON;",
    "inside its BEGIN": "BEGIN;{off}{body}COMMIT;",
    "unit by unit": "{off}{body}VACUUM;",
    "before VACUUM and on": "{off}{body}PRAGMA foreign_keys=ON;VACUUM;",
    "own BEGIN and VACUUM": "BEGIN;{off}{body}COMMIT;VACUUM;",
    "marked": "-- rung: no-transaction\n{off}{body}",
    "behind VACUUM": "VACUUM;{off}{body}",
}


def family(site: Site) -> tuple[int, int]:
    """How many posts there are, and how many notes still know their user."""
    ((posts,),), ((notes,),) = (
        site.ask(f"SELECT count(*) FROM {table} WHERE user_id IS NOT NULL")
        for table in ("posts", "notes")
    )
    return posts, notes


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("off", OFF)
def test_no_row_is_lost(site: Site, off: str, form: str) -> None:
    """Off means off, in every spelling and every kind of transaction."""
    site.add("1_a", FAMILY).add("2_b", form.format(off=off, body=LOSSLESS))
    site.migrator("?_fk=1").up()

    assert (family(site), site.ledger()) == ((3, 1), [(2, 0)])


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_rebuild_that_leaves_rows_without_their_parent(site: Site, form: str) -> None:
    """The check before COMMIT finds it: the file fails, and where it is whole nothing stays."""
    site.add("1_a", FAMILY).add("2_b", form.format(off=OFF[0], body=LOSING))
    failed = failing(MigrationFailed, site.migrator("?_fk=1").up)

    assert "1 row of posts refers to no row of users: 2" in failed.server.message
    assert family(site) == (3, 1)
    if not failed.dirty:
        assert site.ask("SELECT count(*) FROM users") == [(2,)]


def test_a_down_with_the_recipe(site: Site) -> None:
    """Going down is no different."""
    site.add("1_a", FAMILY).add("2_b", "SELECT 1;", OFF[0] + LOSSLESS)
    migrator = site.migrator("?_pragma=foreign_keys(1)")
    migrator.up()
    migrator.down()

    assert (family(site), site.ledger()) == ((3, 1), [(1, 0)])


def test_together(site: Site) -> None:
    """One transaction has them on or off for all its files: such a file is refused among others."""
    site.add("1_a", FAMILY).add("2_b", OFF[1] + LOSSLESS)
    failing(AtomicRefused, site.migrator("?_fk=1", atomic=True).up)
    assert site.tables() == set()

    site.migrator("?_fk=1").up(1)
    site.migrator("?_fk=1", atomic=True).up()
    assert (family(site), site.ledger()) == ((3, 1), [(2, 0)])


@pytest.mark.parametrize("head", ["", "PRAGMA defer_foreign_keys=ON;", "PRAGMA foreign_keys=ON;"])
@pytest.mark.parametrize("body", [LOSSLESS, RENAMED_FIRST, *(COPIED.format(m) for m in MADE)])
def test_a_rebuild_with_foreign_keys_on(site: Site, head: str, body: str) -> None:
    """To drop the table would delete the rows that refer to it: the file is refused there."""
    site.add("1_a", FAMILY).add("2_b", head + body)
    failed = failing(MigrationFailed, site.migrator("?_fk=1").up)

    assert "posts (ON DELETE CASCADE)" in failed.server.message
    assert (family(site), failed.dirty) == ((3, 1), False)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO posts VALUES (9, 9); PRAGMA foreign_key_check;",
        "INSERT INTO posts VALUES (9, 9); PRAGMA main.foreign_key_check(posts);",
        "INSERT INTO posts VALUES (9, 9); SELECT count(*) FROM pragma_foreign_key_check;",
        "BEGIN; INSERT INTO posts VALUES (9, 9); PRAGMA foreign_key_check; COMMIT;",
    ],
)
def test_what_a_check_finds_fails_the_file(site: Site, sql: str) -> None:
    """Nobody else would read its rows; the message has what they say."""
    site.add("1_a", FAMILY).add("2_b", sql)
    failed = failing(MigrationFailed, site.migrator().up)

    assert "1 row of posts refers to no row of users: 9" in failed.server.message
    assert (site.ledger(), family(site)) == ([(1, 0)], (3, 1))


@pytest.mark.parametrize("check", ["integrity_check", "quick_check", "main.integrity_check(10)"])
def test_what_an_integrity_check_finds_fails_the_file(site: Site, check: str) -> None:
    """A row other than "ok" is a problem."""
    wrong = "INSERT INTO t VALUES (-1);"
    wrong = f"PRAGMA ignore_check_constraints=ON; {wrong} PRAGMA ignore_check_constraints=OFF;"
    site.add("1_a", "CREATE TABLE t (x INTEGER CHECK (x > 0));")
    site.add("2_b", f"{wrong} PRAGMA {check};")
    failed = failing(MigrationFailed, site.migrator().up)

    assert "CHECK constraint failed in t" in failed.server.message
    assert site.ask("SELECT count(*) FROM t") == [(0,)]


@pytest.mark.parametrize("check", ["PRAGMA foreign_key_check;", ""])
def test_an_older_violation_is_said_and_not_blamed(site: Site, check: str) -> None:
    """What was violated before the file began stays as it was; a warning says so."""
    site.add("1_a", FAMILY + "INSERT INTO posts VALUES (7, 77);")
    site.add("2_b", f"{OFF[0]}{LOSSLESS}{check}")
    site.migrator().up()

    assert site.ledger() == [(2, 0)]
    assert any(
        "rows that existed before violate a foreign key" in n.message for n in site.heard(Notice)
    )
    assert "77" in site.heard(Notice)[0].message


def test_a_schema_written_by_hand_that_is_none(site: Site) -> None:
    """With writable_schema a file can write nonsense: it is found before the COMMIT."""
    sql = "UPDATE sqlite_master SET sql = 'CREATE TABEL users' WHERE name = 'users';"
    site.add("1_a", FAMILY).add("2_b", f"PRAGMA writable_schema=ON; {sql}")
    failed = failing(MigrationFailed, site.migrator().up)

    assert "malformed database schema" in failed.server.message
    assert (family(site), site.ledger()) == ((3, 1), [(1, 0)])


@pytest.mark.parametrize("table", ["users", '"Users"', "main.[USERS]", "`users`"])
@pytest.mark.parametrize("down", ["DELETE FROM {}", "DROP TABLE {}"])
def test_what_goes_along_is_listed(site: Site, down: str, table: str) -> None:
    """Rows of children that a cascade deletes or changes are listed, where foreign keys are on."""
    deeper = "CREATE TABLE tags (post_id INTEGER REFERENCES posts ON DELETE CASCADE);"
    site.add("1_a", FAMILY + deeper, down.format(table))
    site.migrator().up()
    off, on = (
        [str(loss) for loss in site.migrator(query).plan(Down(1)).losses]
        for query in ("", "?_fk=1")
    )

    kind = "rows of table" if "DELETE" in down else "table"
    assert off == [f"{kind} {table} (2 rows)"]
    assert on == [
        *off,
        "values in table notes (rows unknown: by their foreign key)",
        "rows of table posts (rows unknown: by their foreign key)",
        "rows of table tags (rows unknown: by their foreign key)",
    ]
