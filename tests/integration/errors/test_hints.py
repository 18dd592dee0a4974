"""Every command that a message names works when it is pasted into the same shell."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.errors.hints import HINTS
from tests.integration.errors.templates import pattern_of, templates
from tests.integration.terminals import shell_on_terminal

if TYPE_CHECKING:
    from tests.integration.errors.hints import Hint
    from tests.integration.errors.stage import Stage

_BESIDE = Path(sys.executable).parent


def test_each_is_pasted_by_a_test() -> None:
    """What the sources name in backticks is what the table holds."""
    assert set(templates()) == {hint.template for hint in HINTS}


@pytest.mark.parametrize("hint", HINTS, ids=lambda hint: hint.template)
def test_it_works_when_pasted(hint: Hint, stage: Stage) -> None:
    """Without an edit but for what the message leaves open, and answered with yes."""
    hint.prepare(stage)
    options = f"--database {shlex.quote(stage.url)} --source migrations"
    printed = _shell(stage, f"rung {hint.command}".replace("@", options))[1]
    named = [found[1] for found in pattern_of(hint.template).finditer(printed)]
    assert named, printed

    hint.then(stage)
    command = named[0]
    for left_open, written in hint.fill:
        command = re.sub(rf"\b{left_open}\b", written, command, count=1)
    code, shown = _shell(stage, command)
    assert code == hint.code, f"{command}\n{shown}"


def test_several_stored_texts_are_let_run_one_after_the_other(stage: Stage) -> None:
    """The command for the second repeats what was let run of the first."""
    assert stage.run("up")[0] == 0
    stage.write("2_roles.up.sql", "CREATE TABLE roles (id int);\n")
    stage.write("3_rooms.up.sql", "CREATE TABLE rooms (id bigint);\n")
    stage.ask("GRANT INSERT ON schema_migrations_history TO pg_monitor")
    command, code = "rung down 2 --yes", 1
    for _ in range(3):
        code, printed = stage.run(*shlex.split(command)[1:])
        if named := re.findall("`(rung down [^`]*)`", printed):
            command = named[0]

    assert (code, command.count("--run-stored-sql")) == (0, 2)


def _shell(stage: Stage, command: str) -> tuple[int, str]:
    """What a terminal in the folder shows of a command, with a scratch server at the most set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "RUNG_", "DATABASE"))}
    environment = kept | {"PATH": f"{_BESIDE}:{kept['PATH']}", "NO_COLOR": "1", "COLUMNS": "4000"}
    environment |= stage.variables
    return shell_on_terminal(command, stage.folder, environment, typed=b"yes\n" * 3)
