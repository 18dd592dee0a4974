"""
From the words of a command line to `ParsedArguments`. Pure: reads no environment, prints nothing.

Options stand before or after the command, and between its arguments; a word such as -1 is a
number, never an option. Nothing is abbreviated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.cli.commands import COMMANDS, GOALS
from rung.cli.options import GOLANG_MIGRATE, LETTERS, OPTIONS, CliSettings, Option
from rung.cli.values import forced_version, quoted, whole
from rung.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.planning.plan import Goal

_NUMBER = re.compile(r"-[0-9]")


class Given(NamedTuple):
    """An option of a command line; `option` is None where it is unrecognized."""

    typed: str
    """The option as it was typed, without its value."""
    option: Option | None
    value: str | None = None
    """Also of a flag that was given one; None where there is none."""


@dataclass(frozen=True, slots=True)
class Words:
    """A command line sorted: the command, its options with their values, its arguments."""

    command: str
    options: tuple[Given, ...]
    arguments: tuple[str, ...]
    typed: tuple[str, ...] = ()
    """All of it in the order in which it was typed."""

    def has(self, name: str) -> bool:
        """Whether an option was given, by its name or its letter."""
        return any(one.option is OPTIONS[name] for one in self.options)


@dataclass(frozen=True, slots=True)
class ParsedArguments:
    """What a command line asks for."""

    command: str
    settings: CliSettings = field(default_factory=CliSettings)
    """The options of the command line."""
    goal: Goal | None = None
    """Of up, down, goto, redo and plan; without the policy for a database that is ahead."""
    version: int | None = None
    """Of force, accept-edit and wait: the version; None for none."""
    versions: tuple[int, ...] = ()
    """Of mark-applied: the versions that are applied; of verify: those to verify."""
    newest: bool = False
    """Of wait: the newest version of the files."""
    name: str = ""
    """Of create."""


def sort_words(argv: Sequence[str]) -> Words:
    """Take a command line apart. Nothing is an error here."""
    options: list[Given] = []
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest.extend(words)
        elif len(word) == 1 or not word.startswith("-") or _NUMBER.match(word):
            rest.append(word)
        elif word.startswith("--"):
            options.append(_long(word, words))
        else:
            options.extend(_cluster(word, words))
    return Words(rest[0] if rest else "", tuple(options), tuple(rest[1:]), tuple(argv))


def _long(word: str, words: Iterator[str]) -> Given:
    """Read `--name`, `--name=value` or `--name value`."""
    name, equals, value = word.partition("=")
    option = OPTIONS.get(name)
    if option is None or equals:
        return Given(name, option, value if equals else None)
    return Given(name, option, _value(words) if option.metavar else None)


def _cluster(word: str, words: Iterator[str]) -> Iterator[Given]:
    """Read letters behind one dash, the last of which may have a value: `-qd URL`, `-qdURL`."""
    name, equals, _ = word.partition("=")
    unrecognized = Given(name if equals else word, None)
    if name in GOLANG_MIGRATE:  # -database is not -d with the value atabase
        yield unrecognized
        return
    for at, letter in enumerate(word[1:], 2):
        option = LETTERS.get(letter)
        if option is None:
            yield unrecognized
            return
        if option.metavar:
            value = word[at:].removeprefix("=")
            yield Given(f"-{letter}", option, value or _value(words))
            return
        yield Given(f"-{letter}", option)


def _value(words: Iterator[str]) -> str | None:
    """Take the next word for a value; None where there is none, or it is an option."""
    value = next(words, None)
    is_option = value is not None and value[:1] == "-" and len(value) > 1
    return None if value is None or (is_option and not _NUMBER.match(value)) else value


def parse(words: Words) -> ParsedArguments:
    """
    Read a sorted command line.

    Raises:
        UsageError: a command, an option or a value is invalid.
    """
    command, arguments = words.command, words.arguments
    odd = next((one.typed for one in words.options if one.option is None), None)
    if command not in COMMANDS or odd is not None:
        from rung.cli.suggestions import unrecognized

        raise unrecognized(command, arguments, odd)
    way = _way(command, arguments)
    return _parsed(way, arguments, _settings(words, way))


def _parsed(way: str, arguments: Sequence[str], settings: CliSettings) -> ParsedArguments:
    """Read the arguments of a command."""
    command = way.split(maxsplit=1)[0]
    expected = COMMANDS[command].arguments
    if len(arguments) > len(expected) and not any(one.repeats for one in expected):
        raise UsageError(
            f"unexpected argument: {quoted(arguments[len(expected)])}", _usage(command)
        )
    missing = [one.metavar for one in expected[len(arguments) :] if one.required]
    if way == "plan goto" and len(arguments) == 1:
        raise UsageError("missing argument: V", "usage: rung plan goto V")
    if missing:
        raise UsageError(f"missing argument: {missing[0]}", _usage(command))
    number = arguments[-1] if len(arguments) == len(expected) and arguments else None
    match command:
        case "up" | "down" | "goto" | "redo" | "plan":
            return ParsedArguments(
                command, settings, _goal(way.split(maxsplit=1)[-1], number, settings)
            )
        case "mark-applied" | "verify":
            versions = tuple(whole(text, "version") for text in arguments)
            return ParsedArguments(command, settings, versions=versions)
        case "create":
            return ParsedArguments(command, settings, name=arguments[0])
        case "force":
            return ParsedArguments(command, settings, version=forced_version(arguments[0]))
    newest = command == "wait" and number == "newest"
    version = None if newest or number is None else whole(number, "version")
    return ParsedArguments(command, settings, version=version, newest=newest)


def _way(command: str, arguments: Sequence[str]) -> str:
    """Return the command, of `plan` with its goal: `plan down`."""
    if command != "plan":
        return command
    goal = arguments[0] if arguments else "up"
    if goal not in GOALS:
        hint = "choose up, down, goto or redo: `rung plan up`"
        raise UsageError(f"invalid goal of a plan: {quoted(goal)}", hint)
    return f"plan {goal}"


def _settings(words: Words, way: str) -> CliSettings:
    """Read the options of a command line, none of which is unrecognized."""
    values: dict[str, Any] = {}
    for typed, option, value in words.options:
        assert option
        if not option.is_of(way):
            owners = " and ".join(option.commands[-2:])
            hint = f"{option.name} is an option of {', '.join((*option.commands[:-2], owners))}"
            raise UsageError(f'option "{typed}" does not apply to {way}', hint)
        if not option.metavar and value is None:
            values[option.attribute] = True
        elif not option.metavar:
            raise UsageError(f'option "{typed}" takes no value', _usage(words.command))
        elif value is None:
            raise UsageError(
                f'option "{typed}" needs a value', f"write {option.name} {option.metavar}"
            )
        else:
            found = option.read(value, option.name)
            if option.repeats:
                found = (*values.get(option.attribute, ()), found)
            values[option.attribute] = found
    return CliSettings(**values)


def _goal(way: str, number: str | None, settings: CliSettings) -> Goal:
    """Make the goal of a command that runs migrations, or of a plan."""
    from rung.planning.down_choice import DownOptions
    from rung.planning.plan import Down, Goto, Redo, Up

    if settings.all and number is not None:
        raise UsageError(
            'option "--all" and a number of steps cannot be used together', "run `rung down --all`"
        )
    if settings.atomic and settings.resume:
        raise UsageError(
            'options "--atomic" and "--resume" cannot be used together',
            "resume the interrupted migration first: `rung up 1 --resume`",
        )
    downs = DownOptions(
        settings.allow_missing_down, settings.use_edited_down, settings.run_stored_sql
    )
    if way == "goto":
        version = whole(number or "", "version")
        return Goto(version, allow_out_of_order=settings.allow_out_of_order, downs=downs)
    steps = None if number is None else whole(number, "number of steps")
    if way == "up":
        return Up(steps, settings.allow_out_of_order, resume=settings.resume)
    if way == "redo":
        return Redo(1 if steps is None else steps, downs=downs)
    steps = None if settings.all else 1 if steps is None else steps
    return Down(steps, resume=settings.resume, downs=downs)


def _usage(command: str) -> str:
    return f"usage: rung {command} {COMMANDS[command].usage}".rstrip()
