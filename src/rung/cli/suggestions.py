"""
Errors for unrecognized commands and options, with a suggestion by meaning first.

The words of other tools (golang-migrate, Flyway, Alembic, Django, goose, dbmate and others) name
the command or option of `rung` that does the same; only without such a word the nearest spelling
is suggested. Of the arguments a suggestion repeats numbers only, so that it cannot repeat a secret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rung.cli.commands import COMMANDS, GOALS
from rung.cli.options import GOLANG_MIGRATE, OPTIONS
from rung.cli.values import quoted
from rung.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FAMILIES = ("migrate", "migration", "migrations", "db")
"""First words of two, as in `migrate deploy` and `db upgrade`; also before a colon."""
_LIKENESS = 0.7
"""How near a spelling must be, of 1."""
_NUMBER = re.compile(r"[+-]?([0-9]{1,18})\Z")


class Meaning(NamedTuple):
    """What somebody wanted, and the commands that do it: `{n}` is a number, `{v}` a version."""

    purpose: str
    commands: tuple[str, ...]


_UP = Meaning("apply pending migrations", ("up{n}",))
_DOWN = Meaning("revert migrations", ("down{n}",))
_GOTO = Meaning("go up or down to a version", ("goto {v}",))
_STATUS = Meaning("show every migration with its state", ("status",))
_VERSION = Meaning("print the version of the database", ("version",))
_PLAN = Meaning("show what would run", ("plan",))
_CHECK = Meaning("compare the files with the database", ("check",))
_MARK = Meaning("record a migration without running it", ("mark-applied {v}",))
_FORCE = Meaning("record that the database is at a version", ("force {v}",))
_CREATE = Meaning("make the files of a new migration", ("create NAME",))
_AGAIN = Meaning("revert every migration and apply all again", ("down --all", "up"))
_DROP = Meaning("delete every object in the schema", ("drop",))
_FRESH = Meaning("delete every object in the schema and apply all migrations", ("drop", "up"))

COMMAND_MEANINGS: dict[str, tuple[Meaning, ...]] = {
    **dict.fromkeys(("upgrade", "apply", "migrate", "deploy", "latest", "update", "run"), (_UP,)),
    "up-by-one": (Meaning("apply the next migration", ("up 1",)),),
    **dict.fromkeys(("downgrade", "rollback", "revert", "undo"), (_DOWN,)),
    **dict.fromkeys(("up-to", "down-to", "migrate-to", "to"), (_GOTO,)),
    **dict.fromkeys(("current", "dbversion", "db-version"), (_VERSION,)),
    **dict.fromkeys(("info", "list", "ls", "show", "showmigrations"), (_STATUS,)),
    "log": (Meaning("show every attempt", ("history",)),),
    **dict.fromkeys(("dry-run", "dryrun", "preview", "pending", "sqlmigrate"), (_PLAN,)),
    **dict.fromkeys(("validate", "lint"), (_CHECK,)),
    **dict.fromkeys(("baseline", "stamp"), (_MARK, _FORCE)),
    **dict.fromkeys(("fake", "resolve"), (_MARK,)),
    **dict.fromkeys(
        ("new", "generate", "revision", "make", "makemigrations", "add", "init"), (_CREATE,)
    ),
    **dict.fromkeys(("reset", "refresh"), (_AGAIN, _DROP)),
    "fresh": (_FRESH,),
    **dict.fromkeys(("clean", "drop-all"), (_DROP,)),
    **dict.fromkeys(
        ("rerun", "reapply"), (Meaning("revert a migration and apply it again", ("redo{n}",)),)
    ),
    **dict.fromkeys(
        ("force-unlock", "release-lock", "release-locks", "releaselocks"),
        (Meaning("break the lease of a dead run", ("unlock",)),),
    ),
    **dict.fromkeys(("diagnose", "health"), (Meaning("list problems", ("doctor",)),)),
    **dict.fromkeys(("recover", "heal"), (Meaning("repair a dirty database", ("repair",)),)),
}
"""Commands of other tools."""

OPTION_MEANINGS: dict[str, str | Meaning] = {
    **dict.fromkeys(("dryrun", "dryrunoutput", "plan", "preview", "pretend", "sql", "n"), _PLAN),
    **dict.fromkeys(("path", "dir", "directory", "folder", "locations", "source"), "--source"),
    **dict.fromkeys(("migrationsdir", "migrationdir", "migrations"), "--source"),
    **dict.fromkeys(("url", "u", "dsn", "db", "database", "databaseurl"), "--database"),
    **dict.fromkeys(("connection", "connectionstring", "uri"), "--database"),
    **dict.fromkeys(("force", "f", "noprompt", "noinput", "noninteractive"), "--yes"),
    **dict.fromkeys(("assumeyes", "autoapprove"), "--yes"),
    **dict.fromkeys(("debug", "trace", "verbose"), "--verbose"),
    "silent": "--quiet",
    **dict.fromkeys(("format", "output", "o"), "--json"),
    **dict.fromkeys(("nocolour", "nocolors", "color", "colour"), "--no-color"),
    **dict.fromkeys(("outoforder", "allowmissing"), "--allow-out-of-order"),
    **dict.fromkeys(("table", "migrationstable", "schematable"), "--ledger-table"),
    "locktimeout": "--wait-for-lock",
    **dict.fromkeys(("singletransaction", "transaction", "onetransaction"), "--atomic"),
    "help": "--help",
    "version": "--version",
    **dict.fromkeys(("steps", "step", "count", "limit"), Meaning("run N migrations", ("up N",))),
    **dict.fromkeys(("target", "to", "toversion", "targetversion"), _GOTO),
    **dict.fromkeys(("fake", "fakeinitial"), _MARK),
    "wait": Meaning("wait until the server answers", ("wait",)),
}
"""Options of other tools, in lower case without any dash."""


def unrecognized(
    command: str, arguments: Sequence[str] = (), option: str | None = None
) -> UsageError:
    """
    Make the error of a command or of an option that `rung` does not have.

    Args:
        command: as it was typed; empty where there is none.
        arguments: the words after it.
        option: an unrecognized option, as it was typed but without its value. The command may be
            that value, as in `-path migrations up`, so the error is the option where it can be.
    """
    word, arguments = _without_family(command, arguments)
    meanings = COMMAND_MEANINGS.get(word)
    if word in COMMANDS and command not in COMMANDS:
        meanings = (_meaning_of(word),)
    if meanings is None and option is not None:
        return _unrecognized_option(option, command, arguments)
    if command == "downgrade" and "base" in arguments:
        meanings = (Meaning("revert every migration", ("down --all",)),)
    elif command in ("upgrade", "downgrade") and "".join(arguments).isdigit():
        meanings = (_GOTO,)  # Alembic's number without a sign is a revision
    if meanings is not None:
        hint = "; ".join(_hint(meaning, arguments) for meaning in meanings)
    elif close := _closest(command, COMMANDS):
        hint = f"did you mean `rung {close}`?"
    else:
        hint = "`rung help` lists the commands"
    return UsageError(f"unrecognized command: {quoted(command)}", hint)


def _unrecognized_option(option: str, command: str, arguments: Sequence[str]) -> UsageError:
    command = next((word for word in (command, *arguments) if word in COMMANDS), "")
    found = OPTION_MEANINGS.get(option.replace("-", "").replace("_", "").lower())
    offered = [one.name for one in OPTIONS.values() if not command or one.is_of(command)]
    if isinstance(found, str) and found in offered:
        metavar = OPTIONS[found].metavar
        full = f"{found} {metavar}".rstrip()
        hint = f"use `{full}`" if command else f"use `{full}`: `rung help options`"
    elif isinstance(found, Meaning):
        if found is _PLAN and command in GOALS:
            goal = "goto {v}" if command == "goto" else f"{command}{{n}}"
            found = Meaning(found.purpose, (f"plan {goal}",))
        elif "N" in found.commands[0] and command in ("down", "redo"):
            found = Meaning(found.purpose, (f"{command} N",))
        hint = _hint(found, arguments)
    elif close := _closest(option, offered):
        alone = not command and close in ("--help", "--version")
        hint = f"did you mean `rung {close}`?" if alone else f"did you mean `{close}`?"
    else:
        hint = f"`rung help {command or 'options'}` lists the options"
    if option in GOLANG_MIGRATE:
        hint += "; the command migrate takes golang-migrate's options"
    return UsageError(f"unrecognized option: {quoted(option)}", hint)


def _without_family(command: str, arguments: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the word that says what to do, and the words after it: of `db:migrate` the second."""
    family, _, rest = command.partition(":")
    if family in _FAMILIES and rest:
        return rest.rpartition(":")[2], arguments
    if family in _FAMILIES and arguments and arguments[0] in {*COMMANDS, *COMMAND_MEANINGS}:
        return arguments[0], arguments[1:]
    return command, arguments


def _meaning_of(command: str) -> Meaning:
    """Return a command of ours that was typed in another tool's way: `migrate:status`."""
    given = {"N": " {n}", "V": " {v}", "NAME": " NAME"}
    words = [one for one in COMMANDS[command].arguments if one.required or one.metavar == "N"]
    text = command + "".join(given[one.metavar] for one in words)
    return Meaning(COMMANDS[command].summary.partition(";")[0], (text.replace(" {n}", "{n}"),))


def _hint(meaning: Meaning, arguments: Sequence[str]) -> str:
    number = next((found[1] for word in arguments if (found := _NUMBER.match(word))), "")
    values = {"n": f" {number}" if number else "", "v": number or "V"}
    commands = [f"`rung {one}`" for one in (text.format_map(values) for text in meaning.commands)]
    return f"to {meaning.purpose}, run {', then '.join(commands)}"


def _closest(word: str, names: Iterable[str]) -> str:
    """Return the name that is spelt most like a word; empty where none is near."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, [*names], 1, _LIKENESS)), "")
