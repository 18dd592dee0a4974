"""
The commands there are, and the argparse parser of each: the words of its help.

Nothing is abbreviated, and only the parser of the command that was given is built.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from rung.errors import UsageError
from rung.redaction import redacted_word, redacted_words

if TYPE_CHECKING:
    from collections.abc import Sequence


class Command(NamedTuple):
    """What the help says of a command: its arguments in short, what it does, all it takes."""

    short: str
    does: str
    takes: str = ""


COMMANDS = {
    "up": Command(
        "[N]",
        "apply what is pending, or the next N",
        "[N] [--atomic | --resume] [--allow-out-of-order V] [--if-ahead POLICY]",
    ),
    "down": Command(
        "[N]",
        "go down one step, or N, or --all the way",
        "[N | --all] [--resume] [--allow-missing-down] [--use-edited-down] "
        "[--run-stored-sql SHA256]",
    ),
    "goto": Command(
        "V",
        "go up or down to exactly version V",
        "V [--allow-out-of-order V] [--allow-missing-down] [--use-edited-down] "
        "[--run-stored-sql SHA256]",
    ),
    "redo": Command(
        "[N]",
        "revert the last migration, or N, and apply it again from its files",
        "[N] [--use-edited-down] [--run-stored-sql SHA256]",
    ),
    "status": Command("", "show every migration with its state"),
    "history": Command("", "show every attempt ever made"),
    "plan": Command(
        "[GOAL]",
        "show what would run, statement by statement; touches nothing",
        "[up [N] | down [N | --all] | goto V | redo [N]] [--atomic | --resume] "
        "[--allow-out-of-order V] "
        "[--if-ahead POLICY] [--allow-missing-down] [--use-edited-down] [--run-stored-sql SHA256]",
    ),
    "check": Command(
        "",
        "fail where anything is pending, late, edited, missing or ahead",
        "[--strict] [--require-downs]",
    ),
    "doctor": Command("", "list invalid indexes, stale locks and other leftovers; mends nothing"),
    "wait": Command(
        "[V]",
        "wait until the server answers, and the database is at V or at the newest",
        "[V | newest] [--timeout DURATION]",
    ),
    "certify": Command(
        "",
        "run the migrations under faults on a throw-away server; touches no other database",
        "[--faults N] [--seed S]",
    ),
    "version": Command("", "print the version of the database"),
    "create": Command(
        "NAME", "make a new pair of migration files from a template", "NAME [--timestamp]"
    ),
    "repair": Command(
        "",
        "find out what a dirty database holds, and mend it; asks first",
        "[--scratch URL] [--done K] [--allow-data-loss]",
    ),
    "force": Command(
        "V",
        "record that the database is at version V, clean; runs nothing",
        "V [--allow-missing-file] [--new-ledger]",
    ),
    "mark-applied": Command(
        "V...",
        "record that versions are applied, or with --not that they are not; runs nothing",
        "[V...] [--not V]",
    ),
    "accept-edit": Command("V", "record that the edit of an applied version's files is meant", "V"),
    "unlock": Command(
        "",
        "say who holds the lock, and break the lease of a run that is dead; asks first",
        "[--allow-live-holder]",
    ),
    "drop": Command("", "remove everything in the schema of the ledger"),
}


MOVING = ("up", "down", "goto", "redo")
"""The commands that run migrations."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are ours."""

    _typed: Sequence[str] = ()

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Remember the words, so that a message about one quotes it without its credentials."""
        self._typed = args or ()
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise it as ours; argparse quotes words as Python writes them."""
        for word in self._typed:
            for value in (word, word.partition("=")[2]):
                if (shown := redacted_word(value)) != value:
                    message = message.replace(repr(value), repr(shown)).replace(value, shown)
        raise UsageError(
            f"{self.prog}: {redacted_words(message)}.",
            f"Usage: {self.usage}\nSee `{self.prog} --help`.",
        )


def parser(command: str) -> argparse.ArgumentParser:
    """The parser of one command, with the options that all have."""
    made = _Parser(
        prog=f"rung {command}",
        usage=f"rung {command} {COMMANDS[command].takes}".rstrip() + " [OPTIONS]",
        description=COMMANDS[command].does[0].upper() + COMMANDS[command].does[1:] + ".",
        allow_abbrev=False,
        add_help=False,
    )
    _add_own(made, command)
    add_common(made.add_argument_group("options of every command"))
    return made


def _add_own(made: argparse.ArgumentParser, command: str) -> None:
    if command == "up":
        made.add_argument("number", metavar="N", nargs="?", help="apply N migrations at the most")
        _add_atomic(made)
        _add_resume(made)
        _add_allow_out_of_order(made)
        _add_if_ahead(made)
    elif command == "down":
        made.add_argument("number", metavar="N", nargs="?", help="go down N steps (default: 1)")
        made.add_argument("--all", action="store_true", help="go down all the way")
        _add_resume(made)
        _add_unreverted(made)
        _add_downs(made)
    elif command == "goto":
        made.add_argument("number", metavar="V", help="the version to end at")
        _add_allow_out_of_order(made)
        _add_unreverted(made)
        _add_downs(made)
    elif command == "redo":
        made.add_argument("number", metavar="N", nargs="?", help="how many (default: 1)")
        _add_downs(made)
    elif command == "plan":
        _add_plan(made)
    else:
        _add_still(made, command)
    if command in MOVING:
        _add_traffic(made)


def _add_still(made: argparse.ArgumentParser, command: str) -> None:
    """The commands that run no migration."""
    adders = {
        "check": _add_check,
        "mark-applied": _add_marks,
        "repair": _add_repair,
        "certify": _add_certify,
    }
    if command in adders:
        adders[command](made)
    elif command == "force":
        made.add_argument("number", metavar="V", help="the version to record; -1 for none")
        made.add_argument(
            "--allow-missing-file", action="store_true", help="though no file has that version"
        )
        made.add_argument(
            "--new-ledger",
            action="store_true",
            help="though the database has a ledger under another name",
        )
    elif command == "unlock":
        made.add_argument(
            "--allow-live-holder",
            action="store_true",
            help="break a lease though its holder gave a sign of life not long ago",
        )
    elif command == "accept-edit":
        made.add_argument("number", metavar="V", help="the version whose files were edited")
    elif command == "wait":
        made.add_argument(
            "number", metavar="V", nargs="?", help="a version, or newest for that of the files"
        )
        made.add_argument(
            "--timeout", metavar="DURATION", help="for how long: 0, 500ms, 30s, 5m (default: ever)"
        )
    elif command == "create":
        made.add_argument("name", metavar="NAME", help="a title, such as add_user_roles")
        made.add_argument(
            "--timestamp", action="store_true", help="number by the time in UTC, not by sequence"
        )


def _add_certify(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--faults",
        metavar="N",
        help="how many faults are injected (default: every cut point once, and kills)",
    )
    made.add_argument(
        "--seed", metavar="S", help="draws the same faults again (default: another each time)"
    )


def _add_repair(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--scratch",
        metavar="URL",
        help="a server on which to try the files out, in databases that are dropped again "
        "(RUNG_SCRATCH; default: the embedded one)",
    )
    made.add_argument(
        "--done",
        metavar="K",
        help="how many statements of the file are done, by your word, where the schema is the "
        "same either way",
    )
    made.add_argument(
        "--allow-data-loss",
        action="store_true",
        help="roll back though rows are lost that the proposal lists; besides --yes",
    )


def _add_atomic(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--atomic", action="store_true", help="with up: all in one transaction, or nothing"
    )


def _add_resume(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--resume",
        action="store_true",
        help="go on first with the file that left the database dirty, where it stopped",
    )


def _add_check(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--strict",
        action="store_true",
        help="fail also where an up holds no statement and does not declare it",
    )
    made.add_argument(
        "--require-downs",
        action="store_true",
        help="fail also where a down is empty or missing (require-downs in pyproject.toml)",
    )


def _add_marks(made: argparse.ArgumentParser) -> None:
    made.add_argument("versions", metavar="V", nargs="*", help="versions that are applied")
    made.add_argument(
        "--not",
        metavar="V",
        dest="not_applied",
        action="append",
        help="a version that is not applied; may be given again",
    )


def _add_unreverted(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--allow-missing-down",
        action="store_true",
        help="pass versions whose down is empty or missing; they are recorded as not reverted",
    )


def _add_downs(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--use-edited-down",
        action="store_true",
        help="run a down file though its up was edited, where nothing is stored of what ran",
    )
    made.add_argument(
        "--run-stored-sql",
        metavar="SHA256",
        action="append",
        help="let a stored down with this hash run, though others could have written it",
    )


def _add_allow_out_of_order(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--allow-out-of-order",
        metavar="V",
        action="append",
        help="let version V run though newer ones are applied; may be given again",
    )


def _add_if_ahead(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--if-ahead",
        metavar="compatible|fail|ok",
        choices=("compatible", "fail", "ok"),
        help="what a database ahead of the files is: nothing to do where it is declared to suit "
        "them (the default), always an error, or always nothing to do",
    )


def _add_traffic(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--lock-timeout",
        metavar="DURATION",
        help="how long a statement may stand in a lock's queue: 0 for no limit (default: 200ms)",
    )
    made.add_argument(
        "--lock-retry-for",
        metavar="DURATION",
        help="for how long what met that limit is tried again, whole (default: 10m)",
    )
    made.add_argument(
        "--cancel-blockers",
        metavar="NAME",
        action="append",
        help="cancel queries of the application NAME that keep a lock from us; may be given again",
    )


def _add_plan(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "way",
        metavar="up|down|goto|redo",
        nargs="?",
        choices=("up", "down", "goto", "redo"),
        help="where to (default: up)",
    )
    made.add_argument("number", metavar="N|V", nargs="?", help="steps, or the version of goto")
    made.add_argument("--all", action="store_true", help="with down: all the way")
    _add_unreverted(made)
    _add_downs(made)
    _add_atomic(made)
    _add_resume(made)
    _add_allow_out_of_order(made)
    _add_if_ahead(made)


def add_common(group: argparse._ArgumentGroup) -> None:
    """Add the options that every command has."""
    flag = "store_true"
    group.add_argument(
        "-d",
        "--database",
        metavar="URL",
        help="a URL or libpq keyword string; `embedded` for a throw-away PostgreSQL, "
        "`embedded:DIR` for one that keeps its data (RUNG_DATABASE, RUNG_DATABASE_FILE, "
        "DATABASE_URL, or PG* as libpq knows them)",
    )
    group.add_argument("--role", metavar="NAME", help="the role to take on in the database")
    group.add_argument(
        "--ledger-table", metavar="NAME", help="the ledger: NAME or SCHEMA.NAME, not folded"
    )
    group.add_argument(
        "--history-table", metavar="NAME", help="the history (default: beside the ledger)"
    )
    group.add_argument(
        "--ledger-writers",
        metavar="ROLES",
        help="roles that another tool migrates with, with commas between them: given what "
        "golang-migrate needs when the ledger is made (RUNG_LEDGER_WRITERS)",
    )
    group.add_argument(
        "-s",
        "--source",
        metavar="DIR",
        help="the folder of the migrations, or package:NAME (RUNG_SOURCE; default: migrations)",
    )
    group.add_argument("-y", "--yes", action=flag, help="ask nothing, go on")
    group.add_argument("--json", action=flag, help="print the result as JSON on stdout")
    group.add_argument(
        "--wait-for-lock",
        metavar="DURATION",
        help="how long to wait for another run: 0, 500ms, 30s, 5m, 1h30m (default: as long as "
        "it lives)",
    )
    group.add_argument("-q", "--quiet", action=flag, help="say nothing but errors and questions")
    group.add_argument("-v", "--verbose", action=flag, help="say modes, statements and notices")
    group.add_argument("--no-color", action=flag, help="no colours (NO_COLOR)")
    group.add_argument("-h", "--help", action=flag, help="show the help")


def overview() -> str:
    """The text of `rung --help`."""
    commands = "\n".join(
        f"  {f'{name} {command.short}':<18}{command.does}" for name, command in COMMANDS.items()
    )
    made = _Parser(prog="rung", usage=argparse.SUPPRESS, add_help=False, allow_abbrev=False)
    group = made.add_argument_group("options, before or after the command")
    add_common(group)
    group.add_argument("--version", action="store_true", help="print the version of rung")
    return (
        "Plain-SQL, versioned, reversible database migrations.\n\n"
        f"usage: rung COMMAND [OPTIONS]\n\ncommands:\n{commands}\n\n{made.format_help().strip()}\n"
    )
