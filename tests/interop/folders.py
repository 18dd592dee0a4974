"""Folders of migrations that are shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

CHAT = {
    1: (
        "CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL);",
        "DROP TABLE users;",
    ),
    3: (
        "INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 5) AS n;",
        "DELETE FROM users WHERE name LIKE 'user %';",
    ),
    4: (
        """
ALTER TABLE users ADD COLUMN joined date;
UPDATE users SET joined = date '2024-02-28' + id;
""",
        "ALTER TABLE users DROP COLUMN joined;",
    ),
    7: (
        """
BEGIN;
CREATE TABLE messages (id bigint PRIMARY KEY, said text);
CREATE INDEX messages_by_text ON messages (said);
COMMIT;
""",
        "DROP VIEW IF EXISTS loud; DROP TABLE messages;",
    ),
    8: (
        """
INSERT INTO messages SELECT id, joined::text || ' said ' || name FROM users;
ALTER TABLE messages ALTER COLUMN said SET NOT NULL;
""",
        "DELETE FROM messages; ALTER TABLE messages ALTER COLUMN said DROP NOT NULL;",
    ),
    # Nothing runs when it goes down, as it declares: version 7's takes the view along.
    12: (
        "CREATE OR REPLACE VIEW loud AS SELECT upper(said) AS said FROM messages;",
        "-- rung: empty version 7 takes the view along",
    ),
    13: (
        "UPDATE messages SET said = said || '!';",
        "UPDATE messages SET said = rtrim(said, '!');",
    ),
}
"""Gaps, a transaction of a file's own, a half that is empty, and data that depend on dates."""


def write_chat(site: Site) -> None:
    """Write it into a site's folder."""
    for version, (up, down) in CHAT.items():
        site.add(f"{version:04}_step", up, down)
