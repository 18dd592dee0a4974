"""Show what would be lost and ask; without a terminal only `--yes` confirms."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rung.errors import ConfirmationRequired
from rung.render.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.cli.invocation import Invocation
    from rung.render.terminal import Console

_YES = ("y", "yes")


def needs_confirmation(call: Invocation) -> bool:
    """Whether to ask: stderr and stdin are terminals, and there is no `--yes`."""
    return not call.settings.yes and call.console.watched and is_terminal(sys.stdin)


def confirm(call: Invocation, what: str, facts: Sequence[str]) -> None:
    """
    Ask for confirmation.

    Args:
        call: with `--yes` nothing is asked.
        what: what is about to happen, without a full stop; the question repeats it.
        facts: the lines that say what would be lost.

    Raises:
        ConfirmationRequired: the answer was not yes, or there was nobody to ask.
    """
    console = call.console
    asks = needs_confirmation(call)
    for line in facts if asks or not console.quiet else ():
        console.insist(line)
    if call.settings.yes:
        return
    if asks and _answer(console, f"{what}: continue?", "[y/N]").lower() in _YES:
        return
    raise ConfirmationRequired(what)


def confirm_typed(call: Invocation, what: str) -> None:
    """
    Ask for the whole word `yes`; the option `--yes` does not confirm this.

    Raises:
        ConfirmationRequired: it was not typed.
    """
    if _answer(call.console, f"{what}: type yes to continue:") != "yes":
        raise ConfirmationRequired(what)


def _answer(console: Console, question: str, choices: str = "") -> str:
    shown = console.err_style.paint(question, "bold")
    console.insist(f"{shown} {choices} " if choices else f"{shown} ", end="")
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        console.insist("")
    return answer.strip()
