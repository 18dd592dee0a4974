"""Unrecognized commands and options: a suggestion by meaning, then by spelling, that works."""

from __future__ import annotations

import re
import shlex

import pytest

from rung.cli.arguments import ParsedArguments, parse, sort_words
from rung.cli.commands import COMMANDS
from rung.cli.options import OPTIONS
from rung.cli.suggestions import COMMAND_MEANINGS, OPTION_MEANINGS, Meaning
from rung.errors import UsageError

_FILLED = {"V": "3", "N": "2", "NAME": "users", "URL": "u", "DIR": "d", "DURATION": "5s"}


def _hint(line: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse(sort_words(line.split()))
    assert caught.value.cause.startswith("unrecognized ")
    return caught.value.hint


def _commands(hint: str) -> list[str]:
    return re.findall("`rung ([^`]*)`", hint)


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("upgrade", ["up"]),
        ("apply", ["up"]),
        ("apply 2", ["up 2"]),
        ("rollback", ["down"]),
        ("rollback 3", ["down 3"]),
        ("current", ["version"]),
        ("info", ["status"]),
        ("validate", ["check"]),
        ("baseline", ["mark-applied V", "force V"]),
        ("baseline 7", ["mark-applied 7", "force 7"]),
        ("new users", ["create NAME"]),
        ("reset", ["down --all", "up", "drop"]),
        ("fresh", ["drop", "up"]),
        # Alembic's
        ("upgrade head", ["up"]),
        ("upgrade +2", ["up 2"]),
        ("upgrade 12", ["goto 12"]),
        ("downgrade -1", ["down 1"]),
        ("downgrade base", ["down --all"]),
        ("downgrade 12", ["goto 12"]),
        ("stamp head", ["mark-applied V", "force V"]),
        ("revision -m users", ["create NAME"]),
        ("upgrade head --sql", ["up"]),
        # Flyway's
        ("migrate", ["up"]),
        ("clean", ["drop"]),
        ("undo", ["down"]),
        # goose's and dbmate's
        ("up-by-one", ["up 1"]),
        ("up-to 5", ["goto 5"]),
        ("down-to 5", ["goto 5"]),
        # those of Rails, Laravel, Knex, Prisma, Flask-Migrate and sqlx
        ("db:migrate", ["up"]),
        ("migrate:rollback 2", ["down 2"]),
        ("migrate:status", ["status"]),
        ("migrate:latest", ["up"]),
        ("migrate deploy", ["up"]),
        ("migrate up 2", ["up 2"]),
        ("migrate goto 7", ["goto 7"]),
        ("migrate create users", ["create NAME"]),
        ("migrate reset", ["down --all", "up", "drop"]),
        ("db upgrade", ["up"]),
        ("migrate run", ["up"]),
        # spelling
        ("stauts", ["status"]),
        ("hisory", ["history"]),
        ("frobnicate", ["help"]),
    ],
)
def test_an_unrecognized_command(line: str, commands: list[str]) -> None:
    """The command of `rung` that does the same, with the number that was given."""
    assert _commands(_hint(line)) == commands


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("up --dry-run", "to show what would run, run `rung plan up`"),
        ("up 2 --dry-run", "to show what would run, run `rung plan up 2`"),
        ("down --dryRun", "to show what would run, run `rung plan down`"),
        ("goto 3 --plan", "to show what would run, run `rung plan goto 3`"),
        ("--dry-run", "to show what would run, run `rung plan`"),
        ("down --steps 2", "to run N migrations, run `rung down N`"),
        ("up --target 7", "to go up or down to a version, run `rung goto 7`"),
        ("up -outOfOrder=true", "use `--allow-out-of-order V`"),
        ("up --allow-missing", "use `--allow-out-of-order V`"),
        ("up --dir db", "use `--source DIR`"),
        ("up --url x", "use `--database URL`"),
        ("down --force", "use `--yes`"),
        ("wait --fake", "to record a migration without running it, run `rung mark-applied V`"),
        ("up --jso", "did you mean `--json`?"),
        ("up --wait-for-locks 3s", "did you mean `--wait-for-lock`?"),
        ("--versoin", "did you mean `rung --version`?"),
        ("--hlep", "did you mean `rung --help`?"),
        ("status -z", "`rung help status` lists the options"),
        ("--xyzzy", "`rung help options` lists the options"),
    ],
)
def test_an_unrecognized_option(line: str, hint: str) -> None:
    """The option or the command that does the same; else the nearest of the command's own."""
    assert _hint(line) == hint


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("-path migrations -database u up", "--source DIR"),
        ("-database u -path migrations up", "--database URL"),
        ("-source file://migrations up 2", "--source DIR"),
        ("-verbose up", "--verbose"),
        ("-lock-timeout 15 up", "--wait-for-lock DURATION"),
        ("up -version", "--version"),
    ],
)
def test_golang_migrates_options(line: str, use: str) -> None:
    """Each names our option, and the command that takes golang-migrate's own."""
    hint = f"use `{use}`; the command migrate takes golang-migrate's options"

    assert _hint(line) == hint


@pytest.mark.parametrize("word", COMMAND_MEANINGS)
@pytest.mark.parametrize("argument", ["", "5"])
def test_every_suggested_command_works_when_pasted(word: str, argument: str) -> None:
    """With the values that are left open filled in."""
    commands = _commands(_hint(f"{word} {argument}"))

    assert word not in COMMANDS
    assert commands
    for command in commands:
        words = [_FILLED.get(one, one) for one in shlex.split(command)]
        assert isinstance(parse(sort_words(words)), ParsedArguments)


@pytest.mark.parametrize("command", ["up", "down", "goto", "redo", "status"])
def test_every_suggested_option_works_when_pasted(command: str) -> None:
    """An option belongs to the command that it is suggested for; a command is valid."""
    needed = ["3"] if command == "goto" else []
    for word, meaning in OPTION_MEANINGS.items():
        if f"--{word}" in OPTIONS:
            continue
        hint = _hint(" ".join((command, *needed, f"--{word}")))
        for found in re.findall("`([^`]*)`", hint):
            filled = [_FILLED.get(one, one) for one in shlex.split(found)]
            words = filled[1:] if filled[0] == "rung" else [command, *needed, *filled]
            if words[0] != "help" and (isinstance(meaning, Meaning) or len(filled) > 1):
                assert isinstance(parse(sort_words(words)), ParsedArguments), word


def test_no_argument_is_repeated_but_a_number() -> None:
    """A secret that was typed in a wrong place is not in the suggestion."""
    for line in ("new s3cret", "migrate up s3cret", "reset s3cret", "up --dry-run=s3cret s3cret"):
        assert "s3cret" not in _hint(line)
