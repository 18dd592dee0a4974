"""What of a command line the next commands need too, so that they work when they are pasted."""

from __future__ import annotations

import argparse
from functools import cache
from typing import TYPE_CHECKING

from rung.cli.parsers import add_common
from rung.redaction import secrets_in
from rung.render.hints import Repeated, completed, repeated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rung.cli.arguments import Words

_OF_THE_DATABASE = ("database", "role", "ledger_table", "history_table", "ledger_writers")


def completer(words: Words, environ: Mapping[str, str]) -> Callable[[str], str]:
    """
    What adds a call's options to the commands that a message names.

    The command line is read when a message names one, and need not be understood as a whole.
    """

    @cache
    def call() -> Repeated:
        return _repeated(words, environ)

    return lambda text: completed(text, call()) if "`rung" in text else text


def _repeated(words: Words, environ: Mapping[str, str]) -> Repeated:
    known = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add_common(known.add_argument_group())
    try:
        given, _ = known.parse_known_args(words.options)
    except argparse.ArgumentError:
        return Repeated()
    options = {
        f"--{name.replace('_', '-')}": value
        for name in _OF_THE_DATABASE
        if (value := getattr(given, name)) and (name == "database" or not secrets_in(value))
    }
    source = None if secrets_in(given.source or "") else given.source
    return repeated(options, environ, source)
