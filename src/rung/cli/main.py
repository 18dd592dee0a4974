"""
The entry of the command: from its words to an exit code.

Every error is shown here and becomes an exit code; a traceback is shown with `--verbose` only.
What a command needs is imported when it runs.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rung._version import __version__
from rung.cli import process
from rung.cli.arguments import Words, parse, sort_words
from rung.cli.commands import COMMANDS
from rung.cli.config import resolve_settings
from rung.cli.exit_codes import ExitCode, StoppedBySignal, exit_code_of
from rung.cli.hints import completer
from rung.cli.invocation import Invocation
from rung.cli.signals import leaving
from rung.cli.values import quoted
from rung.errors import RungError, UsageError
from rung.redaction import redacted_word
from rung.render.terminal import Console, style_for

if TYPE_CHECKING:
    from collections.abc import Sequence

_WRITES = "unknown: see `rung status` for what was recorded"
_ONLY_READ = "unchanged; nothing was run"
"""Of a command that reads, or that has not begun; one that runs files hears signals itself."""


def run() -> NoReturn:
    """Run the command with the arguments of this process, and exit with its code."""
    process.run(main)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Args:
        argv: the words after `rung`; by default those of this process.

    Returns:
        The exit code, one of `ExitCode`.
    """
    words = sort_words(sys.argv[1:] if argv is None else argv)
    colours = not words.has("--no-color")
    console = Console(  # also if the command line is invalid
        sys.stdout,
        sys.stderr,
        style_for(sys.stdout, os.environ, wanted=colours),
        style_for(sys.stderr, os.environ, wanted=colours),
        quiet=words.has("--quiet"),
        verbose=words.has("--verbose"),
        json=words.has("--json"),
        completed=completer(words, os.environ),
    )
    try:
        try:
            return _run(words, console)
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except StoppedBySignal as stopped:
            return _show(stopped.error, words, console, stopped.code)
        except RungError as error:
            return _show(error, words, console, exit_code_of(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, a person reads a line of it
            return _show_internal(error, words, console)
    except BrokenPipeError:  # also while an error is shown
        process.abandon(sys.stdout)
        return ExitCode.DONE
    except KeyboardInterrupt:
        console.insist("\nerror: interrupted")
        return ExitCode.INTERRUPTED


def _run(words: Words, console: Console) -> int:
    if words.has("--help") or words.command == "help":
        console.data(_help(words))
        return ExitCode.DONE
    if words.has("--version"):
        console.data(f"rung {__version__}")
        return ExitCode.DONE
    if not words.command:
        if any(given.option is None for given in words.options):
            parse(words)
        console.insist(_help(words))
        return ExitCode.USAGE
    request = parse(words)
    settings = resolve_settings(request.settings, os.environ, Path.cwd())
    command = COMMANDS[request.command]
    module, function = command.function.split(":")
    with leaving(_WRITES if command.is_writing else _ONLY_READ):
        run_command = getattr(import_module(f"rung.cli.{module}"), function)
        code = run_command(Invocation(request, settings, console))
    return ExitCode.DONE if code is None else int(code)


def _help(words: Words) -> str:
    """Return the help that was asked for, by `help X` or by `X --help`."""
    from rung.cli.help import command_help, options_help, overview

    asked = words.command
    if asked == "help":
        if len(words.arguments) > 1:
            raise UsageError(
                f"unexpected argument: {quoted(words.arguments[1])}", "usage: rung help [COMMAND]"
            )
        asked = words.arguments[0] if words.arguments else ""
        if asked == "options":
            return options_help()
    if asked in COMMANDS:
        return command_help(asked)
    if asked not in ("", "help"):
        from rung.cli.suggestions import unrecognized

        raise unrecognized(asked)
    return overview()


def _show(error: RungError, words: Words, console: Console, code: ExitCode) -> int:
    from rung.render.errors import error_text

    if console.json:
        from rung.render import json_output as shapes

        command = redacted_word(words.command)
        console.data(shapes.dumps(command, shapes.error(error, code), console.completed))
    console.insist(error_text(error, console.err_style, console.completed))
    return code


def _show_internal(error: Exception, words: Words, console: Console) -> int:
    """Show an unexpected error: one line, and with `--verbose` its traceback."""
    from rung.cli.internal_error import InternalError, masked, traceback_of

    secrets = (os.environ, words.typed)
    if console.verbose:
        console.insist(masked(traceback_of(error), *secrets).rstrip("\n"))
    shown = InternalError(type(error).__name__, masked(str(error), *secrets))
    return _show(shown, words, console, ExitCode.FAILED)
