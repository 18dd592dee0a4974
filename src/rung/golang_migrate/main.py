"""
The entry of the command: from its words to an exit code, in golang-migrate's order.

Global flags come before the command, its own before its arguments. Every fault is shown here,
and no traceback. What a command needs is imported when it runs.
"""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from rung import process
from rung._version import __version__
from rung.errors import RungError
from rung.golang_migrate import usage
from rung.golang_migrate.commands import COMMANDS
from rung.golang_migrate.console import GoConsole
from rung.golang_migrate.faults import FAILED, GoFault, NotUnderstood
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

    from rung.golang_migrate.gostd.flags import Parsed
    from rung.golang_migrate.open import Opening
    from rung.render.hints import Repeated

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
"""What may stand before the command."""
_NEGATIVE = re.compile(r"-\d+\Z")
_INTERRUPTED = 130
_SAID = {
    1: "Stopping after this running migration ...",
    2: "Cancelling this running migration ...",
    process.LEAVE: "Leaving at once; rung status tells what became of the migration.",
}


def run() -> NoReturn:
    """Run the command on this process's words and leave with its exit code."""
    process.run(main)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Args:
        argv: the words after `migrate`; left out, this process's own.

    Returns:
        The exit code: 0, 1 for a fault, 2 for words that are not understood.
    """
    began = time.time_ns()
    words = sys.argv[1:] if argv is None else argv
    try:
        return _understood(words, began)
    except NotUnderstood as fault:
        line = redacted_words(without_values(fault.line, secrets_among(words)))
        text = f"{line}\n{fault.usage}" if line else fault.usage
        sys.stderr.write(text if text.endswith("\n") else f"{text}\n")
        return fault.code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        process.abandon(sys.stderr)
        return FAILED


def _understood(words: Sequence[str], began: int) -> int:
    given = _parsed(GLOBAL, words, usage.overview())
    talk = GoConsole(verbose=given.yes("verbose"))
    if given.yes("version"):
        talk.plain(f"rung {__version__}")
        return 0
    if given.yes("help"):
        raise NotUnderstood("", usage.overview(), 0)
    if not given.words:
        raise NotUnderstood("", usage.overview())
    try:
        return _obeyed(given, talk, began)
    except GoFault as fault:
        _show(talk, fault, _repeated(given))
    except (NotUnderstood, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, a person reads a line of it
        said = redacted_text(f"{type(error).__name__}: {error}", secrets_among(words))
        _show(talk, GoFault(f"Rung met a fault of its own. {said}"))
    return FAILED


def _obeyed(given: Parsed, talk: GoConsole, began: int) -> int:
    """Carry a command out; errors of the engine leave as faults."""
    from rung.golang_migrate.messages import fault_of

    opening = _opening(given)
    with process.listening(lambda times, _: f"{talk.prefix}{_SAID[times]}") as signals:
        prefetches = given.number("prefetch") > 0
        call = GoInvocation(opening, talk, signals.stop, prefetches, began)
        try:
            return _dispatched(call, *given.words)
        except RungError as error:
            raise fault_of(error, opening.tongue, timed=opening.timed) from None


def _dispatched(call: GoInvocation, name: str, *words: str) -> int:
    if name == "version":
        from rung.golang_migrate.cmd_force_drop import version

        code = version(call)
        call.talk.detail("Closing source and database")
        return code
    if name not in COMMANDS:
        raise NotUnderstood("", usage.overview())
    command = COMMANDS[name]
    if name == "force" and words and _NEGATIVE.match(words[0]):
        words = ("--", *words)
    parsed = _parsed(command.flags, words, command.flags.usage())
    if parsed.yes("help"):
        raise NotUnderstood("", f"{command.usage}\n{command.flags.defaults()}", 0)
    code = command.run(call, parsed)
    if code == 0 and name != "create":
        call.talk.detail(f"Finished after {duration(time.time_ns() - call.began)}")
        call.talk.detail("Closing source and database")
    return code


def _parsed(flags: FlagSet, words: Sequence[str], told: str) -> Parsed:
    try:
        return flags.parse(words)
    except HelpWanted:
        raise NotUnderstood("", told, 0) from None
    except FlagsRefused as refused:
        raise NotUnderstood(str(refused), told) from None


def _opening(given: Parsed) -> Opening:
    from rung.golang_migrate.open import Opening

    source, path = given.text("source"), given.text("path")
    waits = float(given.number("lock-timeout")) if "lock-timeout" in given.given else None
    if source or not path:
        return Opening(source, "", given.text("database"), waits)
    return Opening(f"file://{path}", path, given.text("database"), waits)


def _repeated(given: Parsed) -> Repeated:
    """What the commands of `rung` that are named need of this call."""
    from rung.golang_migrate.open import repeated_by

    return repeated_by(given.text("source"), given.text("path"), given.text("database"))


def _show(talk: GoConsole, fault: GoFault, call: Repeated | None = None) -> None:
    from rung.render.hints import Repeated, completed

    lines = [completed(line, call or Repeated()) for line in fault.lines]
    first, *more = [part for line in lines for part in line.splitlines()] or [""]
    talk.line(first)
    for line in more:
        talk.plain(line)
