"""The order in which words are looked at, the usages, and the faults of source and database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung._version import __version__

if TYPE_CHECKING:
    from tests.unit.golang_migrate.conftest import Stage

USAGE = "Usage: migrate OPTIONS COMMAND [arg...]"
EMPTY = "URL cannot be empty"


@pytest.mark.parametrize(
    ("words", "code", "first"),
    [
        ([], 2, USAGE),
        (["bogus"], 2, USAGE),
        (["-help"], 0, USAGE),
        (["-h"], 0, USAGE),
        (["-version", "-help", "up"], 0, f"rung {__version__}"),
        (["up", "-help"], 0, "up [N]       Apply all or N up migrations"),
        (["up", "-h"], 0, "Usage of up:"),
        (["up", "-path=x"], 2, "flag provided but not defined: -path"),
        (["up", "-1"], 2, "flag provided but not defined: -1"),
        (["-verbose", "true", "up"], 2, USAGE),
        (["-prefetch", "abc"], 2, 'invalid value "abc" for flag -prefetch: parse error'),
        (["-path"], 2, "flag needs an argument: -path"),
        (["version"], 1, f"error: failed to parse scheme from source URL: {EMPTY}"),
        (["goto", "x"], 1, f"error: failed to parse scheme from source URL: {EMPTY}"),
        (
            ["-path", "x", "version"],
            *(1, f"error: failed to parse scheme from database URL: {EMPTY}"),
        ),
        (
            ["-path", "/nonexistent", "-database", "postgres://h/x", "up"],
            1,
            (
                'error: failed to open source, "file:///nonexistent": open .: '
                "no such file or directory"
            ),
        ),
        (
            ["-source", "s3://x", "-database", "postgres://h/x", "up"],
            1,
            (
                "error: failed to open source, \"s3://x\": source driver: unknown driver 's3' "
                "(forgotten import?)"
            ),
        ),
    ],
)
def test_words(stage: Stage, words: list[str], code: int, first: str) -> None:
    """The exit code and the first line; no database is opened for any of them."""
    found, said = stage.bare(*words)

    assert (found, said[0]) == (code, first)
    assert stage.opened == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("foo://x", "database driver: unknown driver foo (forgotten import?)"),
        (
            "postgresql+asyncpg://h/x",
            "database driver: unknown driver postgresql+asyncpg (forgotten import?)",
        ),
        (
            "sqlite+aiosqlite:///x.db",
            "database driver: unknown driver sqlite+aiosqlite (forgotten import?)",
        ),
        (
            "postgres://u:secret@h:abc/db",
            'parse "postgres://u:xxxxx@h:abc/db": invalid port ":abc" after host',
        ),
        (
            "postgres://h/x?x-multi-statement=yes",
            (
                'unable to parse option x-multi-statement: strconv.ParseBool: parsing "yes": '
                "invalid syntax"
            ),
        ),
        ("pgx4://h/x?x-lock-strategy=x", 'unknown lock strategy "x"'),
        ("postgres://h/x?x-statement-timeout=1s", 'strconv.Atoi: parsing "1s": invalid syntax'),
        (
            "sqlite3://x.db?x-no-tx-wrap=yes",
            'x-no-tx-wrap: strconv.ParseBool: parsing "yes": invalid syntax',
        ),
    ],
)
def test_a_database_that_cannot_be_opened(stage: Stage, url: str, said: str) -> None:
    """The sentence is golang-migrate's, without the password."""
    words = ("-path", str(stage.folder), "-database", url, "up")

    assert stage.bare(*words) == (1, [f"error: failed to open database: {said}"])


def test_two_files_of_one_half(stage: Stage) -> None:
    """The second by name is told, by every command that opens the source."""
    (stage.folder / "0001_z.up.txt").touch()
    said = f'error: failed to open source, "file://{stage.folder}": duplicate migration file: '

    assert stage.run("version") == (1, [f"{said}1_a.up.sql"])


@pytest.mark.parametrize("name", ["a#b", "a?b", "100%", "user@x"])
def test_a_path_is_a_path(stage: Stage, name: str) -> None:
    """No character of it means anything to a URL."""
    folder = stage.folder / name
    folder.mkdir()
    (folder / "7_x.up.sql").write_text("SELECT 1")

    assert stage.bare("-path", str(folder), "-database", "postgres://h/x", "up", "1") == (
        0,
        ["7/u x (<d>)"],
    )


def test_a_fault_of_ours(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one line, and no secret stands in it."""

    def fail(*given: object, **named: object) -> None:
        raise RuntimeError("postgres://u:secret@h/chatapp")

    monkeypatch.setattr("rung.golang_migrate.endpoints.open_driver", fail)
    code, said = stage.run("version")

    assert (code, said) == (
        1,
        ["error: Rung met a fault of its own. RuntimeError: postgres://u:***@h/chatapp"],
    )


def test_create_needs_no_source_and_no_database(stage: Stage) -> None:
    """Its paths are said, up first."""
    place = stage.folder / "new"
    code, said = stage.bare("create", "-ext", "sql", "-dir", str(place), "-seq", "a")

    assert (code, said) == (0, [f"{place}/000001_a.up.sql", f"{place}/000001_a.down.sql"])
    assert stage.bare("create") == (1, ["error: please specify name"])
    assert stage.bare("create", "a") == (1, ["error: -ext flag must be specified"])
    assert stage.bare("create", "-ext", "sql", "-tz", "Mars/Phobos", "a") == (
        1,
        ["unknown time zone Mars/Phobos"],
    )
