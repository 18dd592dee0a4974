"""
The commands of `rung`: one table, from which the parser, the help and the entry are made.

A command's function is named, not imported, so that the help of one loads no other.
"""

from __future__ import annotations

from typing import NamedTuple

from rung.cli.exit_codes import ExitCode


class Argument(NamedTuple):
    """A word of a command that is not an option; `repeats` for as many as there are."""

    metavar: str
    help: str
    required: bool = False
    repeats: bool = False


class Command(NamedTuple):
    """
    A command of `rung`.

    Attributes:
        summary: what it does, for the list of commands and its own help.
        function: where it is: module of `rung.cli` and name.
        example: a call of it.
        arguments: in their order.
        codes: the exit codes that it may end with, besides those of every command.
        is_writing: whether a signal may leave what was recorded open.
        needs_database: whether it reads or writes the database of `--database`.
        reads_source: whether it reads the migrations of `--source`.
    """

    summary: str
    function: str
    example: str
    arguments: tuple[Argument, ...] = ()
    codes: tuple[ExitCode, ...] = ()
    is_writing: bool = False
    needs_database: bool = True
    reads_source: bool = True

    @property
    def usage(self) -> str:
        """Its arguments, optional ones in brackets."""
        words = (one.metavar + "..." * one.repeats for one in self.arguments)
        pairs = zip(self.arguments, words, strict=True)
        return " ".join(word if one.required else f"[{word}]" for one, word in pairs)


_PENDING, _DIRTY, _AHEAD = ExitCode.PENDING, ExitCode.DIRTY, ExitCode.AHEAD
_RUN = (_PENDING, _DIRTY, _AHEAD)
_STEPS = "how many migrations (default: 1)"

COMMANDS = {
    "up": Command(
        "apply pending migrations, all or the next N",
        "cmd_run:move",
        "rung up 1 --lock-timeout 500ms",
        (Argument("N", "apply at most N migrations"),),
        _RUN,
    ),
    "down": Command(
        "revert the last migration, the last N, or --all",
        "cmd_run:move",
        "rung down 2",
        (Argument("N", _STEPS),),
        _RUN,
    ),
    "goto": Command(
        "go up or down to version V",
        "cmd_run:move",
        "rung goto 7",
        (Argument("V", "the version to reach", required=True),),
        _RUN,
    ),
    "redo": Command(
        "revert the last migration, or N, and apply it again from its files",
        "cmd_run:move",
        "rung redo",
        (Argument("N", _STEPS),),
        _RUN,
    ),
    "status": Command("show every migration with its state", "cmd_show:status", "rung status"),
    "history": Command(
        "show every attempt", "cmd_show:history", "rung history --json", reads_source=False
    ),
    "plan": Command(
        "show what would run, statement by statement; changes nothing",
        "cmd_show:plan",
        "rung plan down 2",
        (
            Argument("GOAL", "up, down, goto or redo (default: up)"),
            Argument("N|V", "how many migrations, or the version of goto"),
        ),
        _RUN,
    ),
    "check": Command(
        "fail if a migration is pending, out of order, edited, missing or ahead",
        "cmd_check:check",
        "rung check --strict",
        codes=_RUN,
    ),
    "verify": Command(
        "run migrations up, down and up on scratch databases, and compare the schemas",
        "cmd_verify:verify_command",
        "rung verify --since origin/main",
        (Argument("V", "versions to verify (default: every one)", repeats=True),),
        (ExitCode.REFUTED, ExitCode.NOT_PROVED),
    ),
    "doctor": Command(
        "list invalid indexes, stale locks and other problems; changes nothing",
        "cmd_doctor:doctor",
        "rung doctor",
        codes=(_DIRTY, ExitCode.PROBLEMS),
    ),
    "wait": Command(
        "wait until the server answers, and the database is at V or the newest version",
        "cmd_wait:wait",
        "rung wait newest --timeout 2m",
        (Argument("V|newest", "a version, or newest for the last one of the files"),),
        (_PENDING,),
    ),
    "certify": Command(
        "run the migrations under faults on a disposable server; uses no other database",
        "cmd_certify:certify",
        "rung certify --faults 100",
        codes=(ExitCode.VIOLATIONS,),
        needs_database=False,
    ),
    "version": Command(
        "print the version of the database", "cmd_show:version", "rung version", reads_source=False
    ),
    "create": Command(
        "make the files of a new migration",
        "cmd_create:create",
        "rung create add_user_roles",
        (Argument("NAME", "a title, such as add_user_roles", required=True),),
        needs_database=False,
    ),
    "repair": Command(
        "find out what a dirty database holds, and repair it; asks first",
        "cmd_repair:repair",
        "rung repair",
        codes=(_DIRTY,),
        is_writing=True,
    ),
    "force": Command(
        "record that the database is at version V, clean; runs nothing",
        "cmd_admin:force",
        "rung force 7",
        (Argument("V", "the version to record; -1 for none", required=True),),
        is_writing=True,
    ),
    "mark-applied": Command(
        "record that versions are applied, or with --not that they are not; runs nothing",
        "cmd_admin:mark_applied",
        "rung mark-applied 3 4 --not 5",
        (Argument("V", "versions that are applied", repeats=True),),
        (_DIRTY,),
        is_writing=True,
    ),
    "accept-edit": Command(
        "accept an edit to an applied migration",
        "cmd_admin:accept_edit",
        "rung accept-edit 3",
        (Argument("V", "the version whose files were edited", required=True),),
        (_DIRTY,),
        is_writing=True,
    ),
    "unlock": Command(
        "show who holds the lock, and break the lease of a dead run; asks first",
        "cmd_admin:unlock",
        "rung unlock",
        is_writing=True,
        reads_source=False,
    ),
    "drop": Command(
        "delete every object in the schema of the ledger; asks first",
        "cmd_admin:drop",
        "rung drop",
        is_writing=True,
        reads_source=False,
    ),
}

GOALS = ("up", "down", "goto", "redo")
"""The commands that run migrations, and what `plan` shows."""
