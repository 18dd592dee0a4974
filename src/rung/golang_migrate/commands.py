"""The commands there are: their flags, their usage, and what carries each of them out. Data."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from rung.golang_migrate import usage
from rung.golang_migrate.gostd.flags import FlagSet, boolean, int64, string

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.golang_migrate.gostd.flags import Parsed
    from rung.golang_migrate.invocation import GoInvocation

_HELP = boolean("help", "Print help information")


@dataclass(frozen=True, slots=True)
class Command:
    """
    A command.

    Args:
        usage: shown by its `-help`, before its flags.
        flags: what may stand between its word and its arguments.
        home: the module and the function that carry it out, loaded when they are needed.
    """

    usage: str
    flags: FlagSet
    home: tuple[str, str]

    @property
    def run(self) -> Callable[[GoInvocation, Parsed], int]:
        """What carries it out; gives the exit code."""
        module, function = self.home
        found: Callable[[GoInvocation, Parsed], int] = getattr(import_module(module), function)
        return found


COMMANDS = {
    "create": Command(
        usage.CREATE,
        FlagSet(
            "create",
            _HELP,
            string("ext", usage="File extension"),
            string("dir", usage="Directory to place file in (default: current working directory)"),
            string("format", "20060102150405", usage.FORMAT),
            string(
                "tz",
                "UTC",
                "The timezone that will be used for generating timestamps (default: utc)",
            ),
            boolean("seq", "Use sequential numbers instead of timestamps (default: false)"),
            int64("digits", 6, "The number of digits to use in sequences (default: 6)"),
        ),
        ("rung.golang_migrate.create_files", "create"),
    ),
    "goto": Command(usage.GOTO, FlagSet("goto", _HELP), ("rung.golang_migrate.cmd_run", "goto")),
    "up": Command(usage.UP, FlagSet("up", _HELP), ("rung.golang_migrate.cmd_run", "up")),
    "down": Command(
        usage.DOWN,
        FlagSet("down", _HELP, boolean("all", "Apply all down migrations")),
        ("rung.golang_migrate.cmd_run", "down"),
    ),
    "drop": Command(
        usage.DROP,
        FlagSet(
            "drop",
            _HELP,
            boolean("f", "Force the drop command by bypassing the confirmation prompt"),
        ),
        ("rung.golang_migrate.cmd_force_drop", "drop"),
    ),
    "force": Command(
        usage.FORCE, FlagSet("force", _HELP), ("rung.golang_migrate.cmd_force_drop", "force")
    ),
}
