"""
The entry point of the command: from its arguments to an exit code, in golang-migrate's order.

Global flags come before the command, its own flags before its arguments. Every fault is printed
here, never a traceback. A command's modules are imported when it runs.
"""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from rung._version import __version__
from rung.cli import process
from rung.errors import RungError
from rung.golang_migrate import usage
from rung.golang_migrate.commands import COMMANDS
from rung.golang_migrate.console import GoConsole
from rung.golang_migrate.faults import FAILED, GoFault, UsageExit
from rung.golang_migrate.gostd.durations import duration
from rung.golang_migrate.gostd.flags import (
    FlagSet,
    FlagsRefused,
    HelpWanted,
    boolean,
    string,
    uint64,
)
from rung.golang_migrate.invocation import GoInvocation
from rung.redaction import redacted_text, redacted_words, secrets_among, without_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.cli.hints import Repeated
    from rung.golang_migrate.endpoints import Endpoints
    from rung.golang_migrate.gostd.flags import Parsed

GLOBAL = FlagSet(
    "migrate",
    boolean("help"),
    boolean("version"),
    boolean("verbose"),
    uint64("prefetch", 10),
    uint64("lock-timeout", 15),
    string("path"),
    string("database"),
    string("source"),
)
"""The flags before the command."""
_NEGATIVE = re.compile(r"-\d+\Z")
_INTERRUPTED = 130
_SIGNAL_MESSAGES = {
    1: "Stopping after this running migration ...",
    2: "Cancelling this running migration ...",
    process.LEAVE: "Leaving at once; rung status tells what became of the migration.",
}


def run() -> NoReturn:
    """Run the command with this process's arguments, and exit with its code."""
    process.run(main)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Args:
        argv: the arguments after `migrate`; by default this process's own.

    Returns:
        The exit code: 0, 1 for a fault, 2 for unrecognized arguments.
    """
    started_ns = time.time_ns()
    words = sys.argv[1:] if argv is None else argv
    try:
        return _run_words(words, started_ns)
    except UsageExit as fault:
        line = redacted_words(without_values(fault.line, secrets_among(words)))
        text = f"{line}\n{fault.usage}" if line else fault.usage
        GoConsole().plain(text.removesuffix("\n"))
        return fault.code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        process.abandon(sys.stderr)
        return FAILED


def _run_words(words: Sequence[str], started_ns: int) -> int:
    flags = _parse_flags(GLOBAL, words, usage.overview())
    console = GoConsole(verbose=flags.yes("verbose"))
    if flags.yes("version"):
        console.plain(f"rung {__version__}")
        return 0
    if flags.yes("help"):
        raise UsageExit("", usage.overview(), 0)
    if not flags.words:
        raise UsageExit("", usage.overview())
    try:
        return _run_command(flags, console, started_ns)
    except GoFault as fault:
        from rung.golang_migrate.endpoints import options_for_rung

        where = (flags.text("source"), flags.text("path"), flags.text("database"))
        _show(console, fault, options_for_rung(*where))
    except (UsageExit, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - a user gets a line, never a traceback
        text = redacted_text(f"{type(error).__name__}: {error}", secrets_among(words))
        _show(console, GoFault(f"Rung met a fault of its own. {text}"))
    return FAILED


def _run_command(flags: Parsed, console: GoConsole, started_ns: int) -> int:
    """Execute a command; raise the engine's errors as faults."""
    from rung.golang_migrate.messages import to_go_fault

    endpoints = _endpoints(flags)
    with process.listening(
        lambda times, _: f"{console.prefix}{_SIGNAL_MESSAGES[times]}"
    ) as signals:
        prefetches = flags.number("prefetch") > 0
        call = GoInvocation(endpoints, console, signals.stop, prefetches, started_ns)
        try:
            return _dispatch(call, *flags.words)
        except RungError as error:
            raise to_go_fault(
                error, endpoints.error_style, has_time_limit=endpoints.has_time_limit
            ) from None


def _dispatch(call: GoInvocation, name: str, *words: str) -> int:
    if name == "version":
        from rung.golang_migrate.cmd_force_drop import version

        code = version(call)
        call.console.detail("Closing source and database")
        return code
    if name not in COMMANDS:
        raise UsageExit("", usage.overview())
    command = COMMANDS[name]
    if name == "force" and words and _NEGATIVE.match(words[0]):
        words = ("--", *words)
    parsed = _parse_flags(command.flags, words, command.flags.usage())
    if parsed.yes("help"):
        raise UsageExit("", f"{command.usage}\n{command.flags.defaults()}", 0)
    code = command.run(call, parsed)
    if code == 0 and name != "create":
        call.console.detail(f"Finished after {duration(time.time_ns() - call.started_ns)}")
        call.console.detail("Closing source and database")
    return code


def _parse_flags(flags: FlagSet, words: Sequence[str], usage_text: str) -> Parsed:
    try:
        return flags.parse(words)
    except HelpWanted:
        raise UsageExit("", usage_text, 0) from None
    except FlagsRefused as refused:
        raise UsageExit(str(refused), usage_text) from None


def _endpoints(flags: Parsed) -> Endpoints:
    from rung.golang_migrate.endpoints import Endpoints

    source, path = flags.text("source"), flags.text("path")
    waits = float(flags.number("lock-timeout")) if "lock-timeout" in flags.present else None
    if source or not path:
        return Endpoints(source, "", flags.text("database"), waits)
    return Endpoints(f"file://{path}", path, flags.text("database"), waits)


def _show(console: GoConsole, fault: GoFault, call: Repeated | None = None) -> None:
    from rung.cli.hints import Repeated, completed

    lines = [completed(line, call or Repeated()) for line in fault.lines]
    first, *more = [part for line in lines for part in line.splitlines()] or [""]
    console.line(first)
    for line in more:
        console.plain(line)
