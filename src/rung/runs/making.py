"""Whether a file of the source makes a table that has a name of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import ScriptError
from rung.migrations import Direction
from rung.statements import made_table, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.dialect import Dialect
    from rung.migrations import MigrationSet


def made_by(migrations: MigrationSet, dialect: Dialect) -> Callable[[str], bool]:
    """
    The question whether an up file makes a table of a name, in whatever schema.

    Only files with the name in their text are read.
    """

    def makes(name: str) -> bool:
        halves = (migration.half(Direction.UP) for migration in migrations.by_version.values())
        texts = (half.text for half in halves if half is not None)
        return any(_makes(text, name, dialect) for text in texts if name.lower() in text.lower())

    return makes


def _makes(text: str, name: str, dialect: Dialect) -> bool:
    try:
        script = read(text, dialect)
    except ScriptError:
        return False  # it will not run
    return any(made_table(script, statement) == name for statement in script.statements)
