"""The command line of a goal, as errors name it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rung.planning.down_choice import DownOptions
from rung.planning.plan import Down, Goto, Redo, Up
from rung.source import Direction

if TYPE_CHECKING:
    from rung.planning.plan import Goal, Plan


def down_options(goal: Goal) -> DownOptions:
    """Return what a goal allows on its way down."""
    return DownOptions() if isinstance(goal, Up) else goal.downs


def command_of(plan: Plan) -> str:
    """Return the command that runs as many steps as a plan, with the options of its goal."""
    goal, downs = plan.goal, sum(step.direction is Direction.DOWN for step in plan.steps)
    options = down_options(goal)
    number = "" if downs <= 1 else f" {downs}"
    match goal:
        case Up(limit=limit):
            command = "rung up" if limit is None else f"rung up {len(plan.steps)}"
        case Goto(version=version):
            command = f"rung goto {version}"
        case Redo():
            command = f"rung redo{number}"
        case Down(limit=None):
            command = "rung down --all"
        case Down():
            command = f"rung down{number}"
    if isinstance(goal, Up | Goto):
        command += "".join(f" --allow-out-of-order {one}" for one in goal.allow_out_of_order)
    command += " --allow-missing-down" * options.unreverted
    command += " --use-edited-down" * options.use_edited
    return command + "".join(f" --run-stored-sql {one}" for one in options.stored_sql)


def command_for_rest(plan: Plan, done: int, *, atomic: bool = False) -> str:
    """
    Return the command that does the rest of a run; empty where every step is done.

    The same command would do more where it counts steps, and where a redo has reverted already.

    Args:
        plan: what was run.
        done: how many of its steps are done.
        atomic: whether it was one transaction.
    """
    goal, steps = plan.goal, plan.steps[done:]
    if not steps:
        return ""
    if isinstance(goal, Redo) and steps[0].direction is Direction.UP:
        return "rung up"
    if isinstance(goal, Redo) and done:
        goal = Down(goal.limit, downs=goal.downs)
    command = command_of(replace(plan, goal=goal, steps=steps))
    return f"{command} --atomic" if atomic and isinstance(goal, Up) else command
