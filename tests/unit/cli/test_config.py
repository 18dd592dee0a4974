"""The command line wins over the environment, which wins over pyproject.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.cli.config import project_settings, resolve_settings
from rung.cli.options import CliSettings
from rung.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_TABLE = """
[tool.rung]
database = "from file"
source = "sql"
wait-for-lock = "30s"
"""
_TABLES = """
[tool.rung]
role = "owner"
ledger-table = "s.l"
history-table = "h"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a folder with a pyproject.toml of ours."""
    (tmp_path / "pyproject.toml").write_text(_TABLE)
    return tmp_path


def test_the_file_is_used_where_nothing_else_is_said(project: Path) -> None:
    """Its folder is relative to the file."""
    expected = CliSettings(database="from file", source=str(project / "sql"), wait_for_lock=30.0)

    assert expected == resolve_settings(CliSettings(), {}, project)


def test_the_environment_wins_over_the_file(project: Path) -> None:
    """An empty variable counts as not set."""
    environ = {"RUNG_DATABASE": "", "DATABASE_URL": "from environment", "RUNG_SOURCE": "m"}

    expected = CliSettings(database="from environment", source="m", wait_for_lock=30.0)

    assert expected == resolve_settings(CliSettings(), environ, project)


def test_our_own_variable_wins_over_the_common_one(tmp_path: Path) -> None:
    """RUNG_DATABASE is looked at before DATABASE_URL."""
    environ = {"RUNG_DATABASE": "ours", "DATABASE_URL": "everybody's"}

    assert resolve_settings(CliSettings(), environ, tmp_path).database == "ours"


def test_the_command_line_wins_over_all(project: Path) -> None:
    """A bound of 0 is a bound."""
    request = CliSettings(database="typed", source="t", wait_for_lock=0.0)

    expected = CliSettings(database="typed", source="t", wait_for_lock=0.0)

    assert expected == resolve_settings(
        request, {"RUNG_DATABASE": "x", "RUNG_SOURCE": "x"}, project
    )


def test_the_server_for_scratch(tmp_path: Path) -> None:
    """RUNG_SCRATCH names it where the command line does not."""
    environ = {"RUNG_SCRATCH": "theirs"}
    typed = resolve_settings(CliSettings(scratch="typed"), environ, tmp_path)

    assert [
        typed.scratch,
        resolve_settings(CliSettings(), environ, tmp_path).scratch,
    ] == [
        "typed",
        "theirs",
    ]


def test_the_nearest_file_upwards_counts(project: Path) -> None:
    """The working directory may lie deep below it."""
    deep = project / "a" / "b"
    deep.mkdir(parents=True)

    assert str(project / "sql") == resolve_settings(CliSettings(), {}, deep).source


def test_a_nearer_file_without_our_table_hides_the_farther(project: Path) -> None:
    """A project in a project is a project of its own."""
    inner = project / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")

    assert CliSettings() == project_settings(inner)


def test_a_folder_of_migrations_is_the_default(tmp_path: Path) -> None:
    """Where nobody names a source, `migrations` is taken if it is there."""
    (tmp_path / "migrations").mkdir()

    assert resolve_settings(CliSettings(), {}, tmp_path).source == "migrations"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("source = 'package:chat.sql'", CliSettings(source="package:chat.sql")),
        ("database = 'embedded'", CliSettings(database="embedded")),
        ("wait-for-lock = '0'", CliSettings(wait_for_lock=0.0)),
        ("lock-timeout = '0'", CliSettings(lock_timeout=0.0)),
        ("lock-retry-for = '1m'", CliSettings(lock_retry_for=60.0)),
        ("", CliSettings()),
    ],
)
def test_what_is_no_folder_is_left_as_it_is(
    tmp_path: Path, written: str, read: CliSettings
) -> None:
    """Only folders are relative to the file."""
    (tmp_path / "pyproject.toml").write_text(f"[tool.rung]\n{written}\n")

    assert read == project_settings(tmp_path)


def test_an_embedded_folder_is_relative_to_the_file(project: Path) -> None:
    """As a source is."""
    (project / "pyproject.toml").write_text("[tool.rung]\ndatabase = 'embedded:pg'\n")

    assert f"embedded:{project / 'pg'}" == project_settings(project).database


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.rung]\nsorce = 'x'\nb = 1", 'unrecognized keys of [tool.rung] in {}: "b", "sorce"'),
        ("[tool.rung]\nyes = true", 'unrecognized key of [tool.rung] in {}: "yes"'),
        ("[tool.rung]\nsource = 3", "source of [tool.rung] in {} is not a string"),
        (
            "[tool.rung]\nwait-for-lock = '3'",
            'invalid duration for wait-for-lock of [tool.rung] in {}: "3"',
        ),
        (
            "[tool.rung]\nif-ahead = 'maybe'",
            'invalid value for if-ahead of [tool.rung] in {}: "maybe"',
        ),
        ("[tool.rung]\nif-ahead = true", "if-ahead of [tool.rung] in {} is not a string"),
        ("[tool.rung]\nrequire-downs = 1", "require-downs of [tool.rung] in {} is not a boolean"),
        ("[tool]\nrung = 3", "tool.rung in {} is not a table"),
        ("[tool.rung", "invalid TOML in {}: "),
    ],
)
def test_an_invalid_table_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    """A misspelt key must not be ignored."""
    (tmp_path / "pyproject.toml").write_text(text)

    with pytest.raises(UsageError) as caught:
        project_settings(tmp_path)

    assert caught.value.cause.startswith(said.format(tmp_path / "pyproject.toml"))


def test_a_file_that_cannot_be_read_is_an_error(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold what would have been obeyed."""

    def refuse(file: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(type(project), "read_bytes", refuse)

    with pytest.raises(UsageError, match=r"could not read .*: Permission denied"):
        project_settings(project)


def test_a_broken_file_that_is_not_about_us_is_left_alone(tmp_path: Path) -> None:
    """Other tools' faults are not ours to report."""
    (tmp_path / "pyproject.toml").write_text("[project")

    assert CliSettings() == project_settings(tmp_path)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_holds_the_database(tmp_path: Path, end: str) -> None:
    """As a secret of Docker's does; the end of its line is none of it."""
    file = tmp_path / "secret"
    file.write_bytes(f"postgresql://db/x{end}".encode())

    found = resolve_settings(CliSettings(), {"RUNG_DATABASE_FILE": str(file)}, tmp_path)
    assert found.need_database() == "postgresql://db/x"


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "could not be read: No such file"), (b"\n", "is empty"), (b"\xff", "is not UTF-8")],
)
def test_a_file_that_holds_none(tmp_path: Path, content: bytes | None, said: str) -> None:
    """It is said what is wrong with it, once a database is needed and not before."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    found = resolve_settings(CliSettings(), {"RUNG_DATABASE_FILE": str(file)}, tmp_path)

    with pytest.raises(UsageError, match="RUNG_DATABASE_FILE") as caught:
        found.need_database()
    assert said in caught.value.cause
    assert caught.value.__context__ is None


def test_what_wins_over_what(project: Path) -> None:
    """From the command line down to libpq's own variables."""
    (project / "secret").write_text("of the secret")
    environ = {
        "RUNG_DATABASE": "ours",
        "RUNG_DATABASE_FILE": str(project / "secret"),
        "DATABASE_URL": "everybody's",
        "PGHOST": "db",
    }
    found = [resolve_settings(CliSettings(database="typed"), environ, project).need_database()]
    for name in environ:
        found.append(resolve_settings(CliSettings(), environ, project).need_database())
        environ = {**environ, name: ""}
    (project / "pyproject.toml").unlink()

    assert found == ["typed", "ours", "of the secret", "everybody's", "from file"]
    assert resolve_settings(CliSettings(), {"PGHOST": "db"}, project).need_database() == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PGHOST", ""),
        ("PGHOSTADDR", ""),
        ("PGDATABASE", ""),
        ("PGSERVICE", ""),
        ("PGUSER", None),
        ("PGPASSWORD", None),
    ],
)
def test_libpqs_own_variables(tmp_path: Path, name: str, expected: str | None) -> None:
    """Those that say where a database is name one; a user alone does not."""
    assert resolve_settings(CliSettings(), {name: "x"}, tmp_path).database == expected


def test_how_the_database_is_used(tmp_path: Path) -> None:
    """Role and names of tables come from the file, and the command line wins."""
    (tmp_path / "pyproject.toml").write_text(_TABLES)
    request = CliSettings(role="other")

    found = resolve_settings(request, {}, tmp_path)
    assert (found.role, found.ledger_table, found.history_table) == ("other", "s.l", "h")
    assert resolve_settings(CliSettings(), {}, tmp_path).role == "owner"
    unset = resolve_settings(CliSettings(ledger_table="", history_table=""), {}, tmp_path)
    assert (unset.ledger_table, unset.history_table) == ("", "")


def test_the_policy_for_a_database_ahead(tmp_path: Path) -> None:
    """The project's, which the command line may set aside."""
    (tmp_path / "pyproject.toml").write_text("[tool.rung]\nif-ahead = 'ok'\n")

    asked = resolve_settings(CliSettings(if_ahead="fail"), {}, tmp_path)
    assert (resolve_settings(CliSettings(), {}, tmp_path).if_ahead, asked.if_ahead) == (
        "ok",
        "fail",
    )


def test_no_database_names_every_way_to_name_one() -> None:
    """The advice lists the option, the variables, the file and the throw-away server."""
    with pytest.raises(UsageError) as caught:
        CliSettings().need_database()

    ways = ["--database", "RUNG_DATABASE_FILE", "DATABASE_URL", "PGHOST", "[tool.rung]", "embedded"]

    assert ways == [way for way in ways if way in caught.value.hint]


def test_no_source_names_every_way_to_name_one() -> None:
    """The advice lists the option, the variable, the file and the first step."""
    with pytest.raises(UsageError) as caught:
        CliSettings().need_source()

    ways = ["--source", "package:NAME", "RUNG_SOURCE", "[tool.rung]", "rung create"]

    assert ways == [way for way in ways if way in caught.value.hint]
