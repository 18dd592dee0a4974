"""Says what would be lost and asks; without a terminal only `--yes` is an answer."""

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
    """Whether there is somebody to ask: a terminal on stderr and stdin, and no `--yes`."""
    return not call.settings.yes and call.console.watched and is_terminal(sys.stdin)


def confirm(call: Invocation, what: str, facts: Sequence[str]) -> None:
    """
    Go on only where somebody agreed.

    Args:
        call: may hold a `--yes`; its stderr and stdin must both be a terminal to ask.
        what: what is about to happen, without a full stop; the question repeats it.
        facts: the lines that tell what goes.

    Raises:
        ConfirmationRequired: nobody said yes.
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
    Go on only where somebody types the whole word; `--yes` is no answer here.

    Raises:
        ConfirmationRequired: nobody did.
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
