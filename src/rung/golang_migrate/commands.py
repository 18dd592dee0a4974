"""The commands: their flags, their usage texts, and their functions. Data."""

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
class GoCommand:
    """
    A command.

    Args:
        usage: printed by its `-help`, before its flags.
        flags: the flags between its name and its arguments.
        location: module and name of its function, which is loaded when it is needed.
    """

    usage: str
    flags: FlagSet
    location: tuple[str, str]

    @property
    def run(self) -> Callable[[GoInvocation, Parsed], int]:
        """Return the function of the command, which returns the exit code."""
        module, name = self.location
        function: Callable[[GoInvocation, Parsed], int] = getattr(import_module(module), name)
        return function


COMMANDS = {
    "create": GoCommand(
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
    "goto": GoCommand(usage.GOTO, FlagSet("goto", _HELP), ("rung.golang_migrate.cmd_run", "goto")),
    "up": GoCommand(usage.UP, FlagSet("up", _HELP), ("rung.golang_migrate.cmd_run", "up")),
    "down": GoCommand(
        usage.DOWN,
        FlagSet("down", _HELP, boolean("all", "Apply all down migrations")),
        ("rung.golang_migrate.cmd_run", "down"),
    ),
    "drop": GoCommand(
        usage.DROP,
        FlagSet(
            "drop",
            _HELP,
            boolean("f", "Force the drop command by bypassing the confirmation prompt"),
        ),
        ("rung.golang_migrate.cmd_force_drop", "drop"),
    ),
    "force": GoCommand(
        usage.FORCE, FlagSet("force", _HELP), ("rung.golang_migrate.cmd_force_drop", "force")
    ),
}
