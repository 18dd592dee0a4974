"""Complete the commands of a message with the call's options, so that they work when pasted."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rung.cli.options import OPTIONS
from rung.redaction import secrets_in
from rung.render.hints import Repeated, completed, repeated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rung.cli.arguments import Words


def completer(words: Words, environ: Mapping[str, str]) -> Callable[[str], str]:
    """
    Make the function that adds a call's options to the commands that a message names.

    The command line may be invalid elsewhere.
    """

    @cache
    def call() -> Repeated:
        return _repeated(words, environ)

    return lambda text: completed(text, call()) if "`rung" in text else text


def _repeated(words: Words, environ: Mapping[str, str]) -> Repeated:
    options, source = {}, None
    for _, option, value in words.options:
        if option is None or not value:
            continue
        if option.name == "--source":
            source = None if secrets_in(value) else value
        elif option.names_database and (option.name == "--database" or not secrets_in(value)):
            options[option.name] = value
    ordered = {name: options[name] for name in OPTIONS if name in options}
    return repeated(ordered, environ, source)
