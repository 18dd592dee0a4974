"""
From the words of a command line to a `Request`. Pure: reads no environment, prints nothing.

Options stand before or after the command, and between its arguments; a word such as -1 is
a number, never an option. So the words are sorted first, and one flat argparse parser, the
command's own (see `parsers`), reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.cli.parsers import COMMANDS, MOVING, parser
from rung.cli.values import duration, forced_version, whole
from rung.errors import UsageError
from rung.redaction import redacted_word

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from rung.planning.plan import Goal, IfAhead

_VALUED = (
    "--database",
    "--source",
    "--wait-for-lock",
    "--allow-out-of-order",
    "--if-ahead",
    "--role",
    "--ledger-table",
    "--history-table",
    "--ledger-writers",
    "--timeout",
    "--lock-timeout",
    "--lock-retry-for",
    "--cancel-blockers",
    "--scratch",
    "--done",
    "--run-stored-sql",
    "--not",
    "--faults",
    "--seed",
)
_NUMBERS = {"done": "number of statements", "faults": "number of faults", "seed": "seed"}
"""The options whose values are whole numbers, and what each is."""
_VALUED_LETTERS = "ds"
_NUMBER = re.compile(r"-[0-9]")


@dataclass(frozen=True, slots=True)
class Words:
    """A command line sorted: the command, its options with their values, its arguments."""

    command: str
    options: tuple[str, ...]
    arguments: tuple[str, ...]
    typed: tuple[str, ...] = ()
    """All of it in the order in which it was typed."""

    def has(self, name: str, letter: str = "") -> bool:
        """Whether an option was given, by its name or its letter, in a cluster or alone."""
        names = self._names()
        clusters = (word[1:] for word in names if not word.startswith("--"))
        letters = (re.split(f"[{_VALUED_LETTERS}]", cluster)[0] for cluster in clusters)
        return name in names or (bool(letter) and any(letter in word for word in letters))

    def _names(self) -> list[str]:
        """The options without their values."""
        names = []
        words = iter(self.options)
        for word in words:
            names.append(word)
            if _takes_next(word):
                next(words, None)
        return names


@dataclass(frozen=True, slots=True)
class ParsedArguments:
    """What a command line asks for."""

    command: str
    database: str | None = None
    source: str | None = None
    role: str | None = None
    ledger_table: str | None = None
    history_table: str | None = None
    ledger_writers: str | None = None
    """Roles, with commas between them; None where it was not given."""
    wait_for_lock: float | None = None
    """Seconds; None where it was not given."""
    lock_timeout: float | None = None
    """Of what runs migrations: seconds, 0 for none; None where it was not given."""
    lock_retry_for: float | None = None
    """Likewise."""
    cancel_blockers: tuple[str, ...] = ()
    yes: bool = False
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    goal: Goal | None = None
    """Of up, down, goto and plan; without the policy for a database that is ahead."""
    strict: bool = False
    """Of check: undeclared empty ups fail."""
    require_downs: bool = False
    """Of check: empty and missing downs fail."""
    atomic: bool = False
    """Of up and plan: all in one transaction."""
    if_ahead: IfAhead | None = None
    """Of up; None where it was not given."""
    version: int | None = None
    """Of force, accept-edit and wait: the version; None for none."""
    versions: tuple[int, ...] = ()
    """Of mark-applied: those that are applied."""
    not_applied: tuple[int, ...] = ()
    """Of mark-applied: those that are not."""
    newest: bool = False
    """Of wait: the newest version of the files."""
    timeout: float | None = None
    """Of wait: seconds; None waits for ever."""
    allow_missing_file: bool = False
    new_ledger: bool = False
    allow_live_holder: bool = False
    """Of unlock."""
    scratch: str | None = None
    """Of repair: a server to try things on."""
    done: int | None = None
    """Of repair: how many statements of the file are done, by a person's word."""
    allow_data_loss: bool = False
    """Of repair: whether a rollback may lose the rows that it lists."""
    faults: int | None = None
    """Of certify: how many; None for as many as it thinks right."""
    seed: int | None = None
    """Of certify; None for another each time."""
    name: str = ""
    """Of create."""
    timestamp: bool = False


def sort_words(argv: Sequence[str]) -> Words:
    """Take a command line apart, without judging it."""
    options: list[str] = []
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest.extend(words)
        elif len(word) < 2 or not word.startswith("-") or _NUMBER.match(word):  # noqa: PLR2004
            rest.append(word)
        else:
            options.append(word)
            if _takes_next(word):
                options.extend(value for value in [next(words, None)] if value is not None)
    return Words(rest[0] if rest else "", tuple(options), tuple(rest[1:]), tuple(argv))


def _takes_next(option: str) -> bool:
    """Whether the next word is this option's value."""
    if option.startswith("--"):
        return option in _VALUED
    at = next((at for at, letter in enumerate(option) if letter in _VALUED_LETTERS), None)
    return at == len(option) - 1


def parse(words: Words) -> ParsedArguments:
    """
    Read a sorted command line.

    Raises:
        UsageError: it cannot be understood.
    """
    if words.command not in COMMANDS:
        raise _unknown(words.command)
    found = _read(parser(words.command), words)
    wait = found.pop("wait_for_lock")
    bound = None if wait is None else duration(wait, "--wait-for-lock")
    return ParsedArguments(words.command, wait_for_lock=bound, **_understood(words.command, found))


def _read(known: argparse.ArgumentParser, words: Words) -> dict[str, Any]:
    behind = ["--", *words.arguments] if words.arguments else []
    found, left = known.parse_known_args([*words.options, *behind])
    if left := [word for word in left if word != "--"]:
        what = "no option of it" if left[0].startswith("-") else "one argument too many"
        known.error(f"{redacted_word(left[0])} is {what}")
    return {name: value for name, value in vars(found).items() if name != "help"}


def _understood(command: str, found: dict[str, Any]) -> dict[str, Any]:
    """Turn the words that are a command's own into values."""
    number, everything = found.pop("number", None), bool(found.pop("all", False))
    allowed = tuple(_late(text) for text in found.pop("allow_out_of_order", None) or ())
    way = found.pop("way", None) or "up"
    if command in MOVING:
        way = command
    if command in (*MOVING, "plan"):
        goal = _goal(str(way), _text(number), everything=everything)
        _check_policy(goal, allowed, found.get("if_ahead"))
        resume = bool(found.pop("resume", False))
        _check_atomic(goal, atomic=bool(found.get("atomic")), resume=resume)
        goal = _with_downs(_resuming(_allowing(goal, allowed), resume=resume), found)
        return found | _traffic(found) | {"goal": goal}
    if command == "force":
        return found | {"version": forced_version(str(number))}
    if command == "wait":
        return found | _waited_for(_text(number), found.pop("timeout", None))
    if command in ("repair", "certify"):
        numbers = [name for name in _NUMBERS if name in found]
        return found | {name: _whole(found[name], _NUMBERS[name]) for name in numbers}
    if command == "accept-edit":
        return found | {"version": whole(str(number), "version")}
    lists = [name for name in ("versions", "not_applied") if name in found]
    return found | {name: _versions(found[name] or ()) for name in lists}


def _traffic(found: dict[str, Any]) -> dict[str, Any]:
    """How locks are waited for, where it was given."""
    texts = {name: found.get(name) for name in ("lock_timeout", "lock_retry_for")}
    given = {name: text for name, text in texts.items() if text is not None}
    bounds = {name: duration(given[name], f"--{name.replace('_', '-')}") for name in given}
    return {"cancel_blockers": tuple(found.get("cancel_blockers") or ()), **bounds}


def _waited_for(version: str | None, timeout: str | None) -> dict[str, Any]:
    newest = version == "newest"
    return {
        "newest": newest,
        "version": None if newest or version is None else whole(version, "version"),
        "timeout": None if timeout is None else duration(timeout, "--timeout"),
    }


def _whole(value: object, what: str) -> int | None:
    return (
        None if value is None else whole(str(value), {"faults": "number of faults"}.get(what, what))
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _goal(way: str, number: str | None, *, everything: bool) -> Goal:
    from rung.planning.plan import Down, Goto, Redo, Up

    if everything and (way != "down" or number is not None):
        raise UsageError("--all goes with down, and without a number.", "Write: `rung down --all`")
    if way == "goto":
        if number is None:
            raise UsageError("goto needs a version.", "Write: `rung plan goto V`")
        return Goto(whole(number, "version"))
    steps = None if number is None else whole(number, "number of steps")
    if way == "up":
        return Up(steps)
    if way == "redo":
        return Redo(1 if steps is None else steps)
    return Down(None if everything else 1 if steps is None else steps)


def _with_downs(goal: Goal, found: dict[str, Any]) -> Goal:
    """The goal with what going down may do where it would be refused."""
    from dataclasses import replace

    from rung.planning.down_choice import STRICT, DownOptions
    from rung.planning.plan import Down, Goto, Up

    hashes = tuple(text.lower() for text in found.pop("run_stored_sql", None) or ())
    unreverted = bool(found.pop("allow_missing_down", False))
    options = DownOptions(unreverted, bool(found.pop("use_edited_down", False)), hashes)
    if unreverted and not isinstance(goal, Down | Goto):
        what = "--allow-missing-down goes with down and goto."
        raise UsageError(what, "Write: `rung plan down --allow-missing-down`")
    if isinstance(goal, Up):
        if options != STRICT:
            what = "--use-edited-down and --run-stored-sql go with down, goto and redo."
            raise UsageError(what, "Write: `rung plan down --use-edited-down`")
        return goal
    return replace(goal, downs=options)


def _versions(texts: Sequence[str]) -> tuple[int, ...]:
    return tuple(whole(text, "version") for text in texts)


def _late(text: str) -> int:
    if "," in text:
        parts = redacted_word(text).split(",")
        again = " ".join(f"--allow-out-of-order {part.strip()}" for part in parts if part.strip())
        raise UsageError("--allow-out-of-order takes one version.", f"Give it for each: {again}")
    return whole(text, "version")


def _check_policy(goal: Goal, allow_out_of_order: tuple[int, ...], if_ahead: str | None) -> None:
    from rung.planning.plan import Down, Redo, Up

    if allow_out_of_order and isinstance(goal, Down | Redo):
        raise UsageError(
            "--allow-out-of-order goes with up and goto.", "Going down runs no up file."
        )
    if if_ahead and not isinstance(goal, Up):
        raise UsageError("--if-ahead goes with up.", "Write: `rung plan up --if-ahead ok`")


def _allowing(goal: Goal, late: tuple[int, ...]) -> Goal:
    from dataclasses import replace

    from rung.planning.plan import Goto, Up

    return replace(goal, allow_out_of_order=late) if isinstance(goal, Up | Goto) else goal


def _check_atomic(goal: Goal, *, atomic: bool, resume: bool) -> None:
    from rung.planning.plan import Up

    if atomic and not isinstance(goal, Up):
        raise UsageError("--atomic goes with up.", "Write: `rung plan up --atomic`")
    if atomic and resume:
        raise UsageError(
            "--atomic and --resume do not go together.",
            "Go on with the file that stopped first: `rung up 1 --resume`",
        )


def _resuming(goal: Goal, *, resume: bool) -> Goal:
    from dataclasses import replace

    from rung.planning.plan import Down, Up

    if not resume:
        return goal
    if not isinstance(goal, Up | Down):
        raise UsageError("--resume goes with up and down.", "Write: `rung up --resume`")
    return replace(goal, resume=True)


def _unknown(command: str) -> UsageError:
    from difflib import get_close_matches

    close = get_close_matches(command, COMMANDS, 1)
    hint = f"Did you mean `rung {close[0]}`? " if close else ""
    return UsageError(
        f"{redacted_word(command)!r} is no command of rung.",
        f"{hint}See `rung --help` for the commands.",
    )
