"""The migrations of other tools are recognized, and told with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.errors import ForeignSource
from rung.source import read_source

if TYPE_CHECKING:
    from pathlib import Path

GOOSE = "-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\nDROP TABLE a;\n"
ALEMBIC = 'revision = "1"\ndown_revision = None\n\ndef upgrade() -> None: ...\n'
FOLDERS = [
    ("goose", {"00001_a.sql": GOOSE, "00002_b.sql": GOOSE.lower(), "00003_c.go": "goose.AddX()"}),
    ("goose", {"20260101_a.sql": "-- a licence\n--+goose   up\nSELECT 1;"}),
    ("dbmate", {"20260101_a.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\n"}),
    ("sql-migrate", {"1_a.sql": "-- +migrate Up notransaction\nSELECT 1;"}),
    ("micrate", {"20260101_a.sql": "-- +micrate Up\nSELECT 1;"}),
    ("rambler", {"1_a.sql": "-- rambler up\nSELECT 1;"}),
    ("node-pg-migrate", {"1_a.sql": "-- Up Migration\nSELECT 1;"}),
    ("tern", {"001_a.sql": "SELECT 1;\n---- create above / drop below ----\nSELECT 2;"}),
    ("Flyway", {"V1__a.sql": "", "V1.2__b.sql": "", "U1__a.sql": "", "R__view.sql": ""}),
    ("yoyo", {"0001.a.sql": "-- depends:", "0001.a.rollback.sql": ""}),
    ("yoyo", {"0001_a.py": "from yoyo import step\nsteps = []"}),
    ("Alembic", {"1a2b_x.py": ALEMBIC}),
    ("Alembic", {"env.py": "", "script.py.mako": "", "versions/1a_x.py": ALEMBIC}),
    ("Django", {"__init__.py": "", "0001_initial.py": "from django.db import migrations, models"}),
    ("Rails", {"20260101120000_create_a.rb": ""}),
    ("Liquibase", {"changelog.sql": "--liquibase formatted sql", "1_a.sql": ""}),
    ("pop (fizz)", {"20260101_a.up.fizz": "", "20260101_a.down.fizz": ""}),
    ("pop", {"1_a.postgres.up.sql": "", "1_a.mysql.up.sql": "", "1_a.mysql.down.sql": ""}),
    ("pop", {"20190100000001000000_a.postgres.up.sql": ""}),
    ("diesel", {"2026-01-01_a/up.sql": "", "2026-01-01_a/down.sql": ""}),
    ("Prisma", {"20260101_a/migration.sql": "", "migration_lock.toml": ""}),
    ("sqitch", {"sqitch.plan": "", "deploy/a.sql": ""}),
]


def fill(folder: Path, files: dict[str, str]) -> Path:
    """Files of these names, with these contents."""
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize(("tool", "files"), FOLDERS)
def test_a_folder_of_another_tool(tmp_path: Path, tool: str, files: dict[str, str]) -> None:
    """Nothing in it is ours: an error in one line, which tool, how many files, what to do."""
    with pytest.raises(ForeignSource) as caught:
        read_source(fill(tmp_path, files))

    found = caught.value
    assert found.tool == tool
    assert set(found.files) <= set(files)
    assert f"only files of {tool}" in found.cause
    assert f"{len(found.files)} file" in found.detail
    assert f" of {tool}: {found.files[0]}" in found.detail
    assert found.hint


@pytest.mark.parametrize(("tool", "files"), [one for one in FOLDERS if one[0] != "pop"])
def test_mixed_with_ours(tmp_path: Path, tool: str, files: dict[str, str]) -> None:
    """Ours are read, the others named in one line, unless they lie in folders below."""
    fill(tmp_path, {"9_ours.up.sql": "SELECT 1;"})

    found = read_source(fill(tmp_path, files))

    assert found.versions == (9,)
    told = [line for line in found.warnings if f" of {tool} (" in line]
    assert len(told) == (0 if tool in {"diesel", "Prisma"} else 1)
    assert sum(sum(name in line for line in found.warnings) for name in files) <= len(files)


@pytest.mark.parametrize(("tool", "files"), FOLDERS[:3])
def test_golang_migrate_knows_no_others(tmp_path: Path, tool: str, files: dict[str, str]) -> None:
    """There the folder is empty, as it says itself; the line is a warning."""
    found = read_source(fill(tmp_path, files), any_extension=True)

    assert found.versions == ()
    assert any(f" of {tool} (" in line for line in found.warnings)


@pytest.mark.parametrize(
    "files",
    [
        {"embed.go": "//go:embed *.sql", "schema.sql": "SELECT 1;", "2_hook.go": "package x"},
        {"__init__.py": "", "conftest.py": "import pytest", "README.md": "-- +goose Up"},
        {"data.json": "{}", "notes.yaml": "a: 1", "seed.rb": "", "venv.sql": "-- depends on a"},
    ],
)
def test_what_lies_beside_ours(tmp_path: Path, files: dict[str, str]) -> None:
    """Other files are nobody's migrations."""
    fill(tmp_path, {"9_ours.up.sql": "SELECT 1;"} | files)

    assert read_source(tmp_path).warnings == ()
