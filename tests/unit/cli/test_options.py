"""The table of options makes parser, help, environment, `[tool.rung]` and the reference page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rung.cli.arguments import parse, sort_words
from rung.cli.commands import COMMANDS
from rung.cli.config import project_settings, resolve_settings
from rung.cli.help import command_help, options_help, options_page
from rung.cli.options import OPTIONS, CliSettings, Option

_PAGE = Path(__file__).parents[3] / "docs" / "reference" / "options.md"
_VALUES = {
    "DURATION": "7s",
    "FORMAT": "github",
    "compatible|fail|ok": "fail",
    "V": "3",
    "N": "3",
    "S": "3",
    "K": "3",
}
_NEEDED = {"goto": ["3"], "create": ["x"], "force": ["3"], "accept-edit": ["3"]}


def _given(option: Option) -> list[str]:
    """An option with a value that is valid."""
    return [option.name, _VALUES.get(option.metavar, "x")] if option.metavar else [option.name]


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_every_command_of_an_option_parses_it(option: Option) -> None:
    """The value ends in its field."""
    for command in option.commands or COMMANDS:
        name, _, goal = command.partition(" ")
        words = [name, *([goal] if goal else []), *_NEEDED.get(goal or name, [])]
        settings = parse(sort_words([*words, *_given(option)])).settings
        assert getattr(settings, option.attribute) != getattr(CliSettings(), option.attribute)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_every_option_is_in_the_help(option: Option) -> None:
    """In that of its commands, or in `rung help options`."""
    commands = {one.partition(" ")[0] for one in option.commands}
    pages = [command_help(name) for name in commands] or [options_help()]

    assert [page for page in pages if f"  {option.shown}" not in page] == []
    assert option.help[0].islower()
    assert not option.help.endswith(".")


@pytest.mark.parametrize(
    "option", [one for one in OPTIONS.values() if one.is_key], ids=lambda option: option.name
)
def test_every_key_is_read_from_the_project(option: Option, tmp_path: Path) -> None:
    """With the value that the command line would give."""
    value = f'"{_VALUES.get(option.metavar, "x")}"' if option.metavar else "true"
    (tmp_path / "pyproject.toml").write_text(f"[tool.rung]\n{option.key} = {value}\n")
    settings = project_settings(tmp_path)

    assert getattr(settings, option.attribute) != getattr(CliSettings(), option.attribute)
    assert settings == resolve_settings(CliSettings(), {}, tmp_path)


@pytest.mark.parametrize(
    ("name", "variable"),
    [(one.name, name) for one in OPTIONS.values() if one.metavar for name in one.variables],
)
def test_every_variable_is_read(name: str, variable: str, tmp_path: Path) -> None:
    """A `_FILE` is kept until the value is needed."""
    settings = resolve_settings(CliSettings(), {variable: "x"}, tmp_path)
    found = getattr(settings, OPTIONS[name].attribute)

    assert settings.database_file == "x" if variable.endswith("_FILE") else found in ("x", ("x",))


def test_the_reference_page_is_made_from_the_table() -> None:
    """RUNG_WRITE_DOCS=1 writes it."""
    if os.environ.get("RUNG_WRITE_DOCS") == "1":
        _PAGE.write_text(options_page(), encoding="utf-8")

    assert _PAGE.read_text(encoding="utf-8") == options_page()
