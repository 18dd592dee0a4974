"""
Create folders of migrations to measure: many small ones, and the chat service's own.

The same number always gives the same bytes. Names and sizes (about 200 bytes a file) are those of
typical migrations; every file may run in a transaction.
"""

from __future__ import annotations

from pathlib import Path

CHAT = Path(__file__).parent.parent / "backend" / "migrations"
"""The chat service's migrations."""

_KINDS = (
    (
        "create_{table}",
        """-- Where the {table} of a customer are kept, one row each.
CREATE TABLE {table} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
""",
        "DROP TABLE {table};\n",
    ),
    (
        "add_status_to_{table}",
        """-- Reports tell open ones from settled ones; old rows count as open.
ALTER TABLE {table}
    ADD COLUMN status text NOT NULL DEFAULT 'open',
    ADD COLUMN settled_at timestamptz;
""",
        "ALTER TABLE {table}\n    DROP COLUMN settled_at,\n    DROP COLUMN status;\n",
    ),
    (
        "index_{table}_by_customer",
        """-- The customer's page lists the newest first; without this it reads the whole table.
CREATE INDEX {table}_customer_created_idx
    ON {table} (customer, created_at DESC);
""",
        "DROP INDEX {table}_customer_created_idx;\n",
    ),
    (
        "first_{table}",
        """-- The accounts that every installation has from the first day on.
INSERT INTO {table} (customer, status)
VALUES ('house', 'settled'), ('demonstration', 'open'), ('support', 'open');
COMMENT ON TABLE {table} IS 'seeded';
""",
        """COMMENT ON TABLE {table} IS NULL;
DELETE FROM {table} WHERE customer IN ('house', 'demonstration', 'support');
""",
    ),
)


def small_migrations(folder: Path, count: int) -> Path:
    """Write small migrations, versions 1 to `count`, into a new folder, and return it."""
    folder.mkdir(parents=True)
    for index in range(count):
        name, up, down = _KINDS[index % len(_KINDS)]
        table = f"orders_{index // len(_KINDS) + 1:04d}"
        stem = f"{index + 1:06d}_{name.format(table=table)}"
        (folder / f"{stem}.up.sql").write_text(up.format(table=table), "utf-8")
        (folder / f"{stem}.down.sql").write_text(down.format(table=table), "utf-8")
    return folder


def ups(folder: Path) -> list[Path]:
    """Return the up files of a folder, in the order of their versions."""
    return sorted(folder.glob("*.up.sql"), key=lambda path: int(path.name.split("_", 1)[0]))
