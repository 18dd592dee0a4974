"""What docs/guides/repair.md shows is what the command prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.errors import page
from tests.integration.errors.stage import block

if TYPE_CHECKING:
    from tests.integration.errors.stage import Stage

_BUILD = (
    "ALTER TABLE roles ADD COLUMN rank int;\n"
    "{}CREATE UNIQUE INDEX CONCURRENTLY roles_name ON roles (name);\n"
)
_UNBUILD = "DROP INDEX roles_name;\nALTER TABLE roles DROP COLUMN rank;\n"
_BY_ANOTHER = "UPDATE schema_migrations SET version = 3, dirty = true"


def _at_2(stage: Stage, up: str, down: str) -> None:
    stage.write("3_rooms.up.sql", up)
    stage.write("3_rooms.down.sql", down)
    assert stage.run("up", "2")[0] == 0
    stage.ask("INSERT INTO roles VALUES ('admin'), ('admin')")


def _shown(stage: Stage, name: str, *words: str) -> int:
    code, text = stage.run(*words)
    page.check(name, block([f"rung {' '.join(words)}"], stage.shown(text), code), page.REPAIR)
    return code


def test_a_build_that_failed(stage: Stage) -> None:
    """The rows will not let it end, and what is there is proved to be its own."""
    _at_2(stage, _BUILD.format(""), _UNBUILD)
    stage.run("up")

    assert _shown(stage, "rolled-back", "repair", "--yes") == 0
    assert stage.ask("SELECT version, dirty FROM schema_migrations") == [(2, False)]


def test_a_build_behind_a_change_of_rows(stage: Stage) -> None:
    """No rollback brings rows back: they are to be fixed, and the file resumed."""
    _at_2(stage, _BUILD.format("UPDATE roles SET rank = 1;\n"), _UNBUILD)
    stage.run("up")

    assert _shown(stage, "kept", "repair", "--yes") == 4
    stage.ask("DELETE FROM roles")
    assert stage.run("up", "--resume")[0] == 0


def test_what_another_tool_left(stage: Stage) -> None:
    """Nothing of its file is there; without a yes nothing is done."""
    _at_2(
        stage, "CREATE TABLE rooms (id int);\nUPDATE roles SET nmae = 'x';\n", "DROP TABLE rooms;"
    )
    stage.ask(_BY_ANOTHER)

    assert _shown(stage, "marked", "repair") == 2
    assert stage.ask("SELECT version, dirty FROM schema_migrations") == [(3, True)]


def test_what_leaves_no_trace(stage: Stage) -> None:
    """A person's word decides."""
    _at_2(stage, "ALTER TABLE roles ADD COLUMN rank int;\nUPDATE roles SET rank = 1;\n", _UNBUILD)
    stage.ask(_BY_ANOTHER)
    stage.ask("ALTER TABLE roles ADD COLUMN rank int")

    assert _shown(stage, "undecided", "repair", "--yes") == 4
    assert _shown(stage, "decided", "repair", "--done", "1", "--yes") == 0
    assert stage.ask("SELECT rank FROM roles") == [(1,), (1,)]


def test_the_page_shows_no_other() -> None:
    """Each block of the page is printed by a test."""
    assert set(page.blocks(page.REPAIR)) == {
        "rolled-back",
        "kept",
        "marked",
        "undecided",
        "decided",
    }
