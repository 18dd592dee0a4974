r"""
The commands of psql, which begin with a backslash outside quotes, and what to write instead.

No server reads them. Only pg_dump's own two lines, `\restrict` and `\unrestrict`, are passed
over: they guard against commands in the data of a dump, and there are none for us.
"""

from __future__ import annotations

import re

from rung.errors import ClientCommand
from rung.script.positions import place_of

_NAME = re.compile(r"\\(?:[A-Za-z_]+[+S]*|[^\sA-Za-z_]?)")
_GUARD = re.compile(r"\\(?:un)?restrict[ \t]+[A-Za-z0-9]+[ \t\r]*(?=\n|\Z)")
_REMOVE = "remove the line"
_VARIABLE = "write the value itself: a migration has no psql variables"
_PASTE = "put the SQL of that file into this one, or into its own migration"
_SEMICOLON = "end the statement with a semicolon"
_OTHER_DATABASE = (
    "remove the line: a migration runs in one database; migrations of another database belong "
    "into their own source"
)
_WAYS = {
    **dict.fromkeys((r"\c", r"\connect"), _OTHER_DATABASE),
    **dict.fromkeys((r"\i", r"\ir", r"\include", r"\include_relative"), _PASTE),
    **dict.fromkeys((r"\set", r"\unset", r"\getenv", r"\gset", r"\prompt", r"\bind"), _VARIABLE),
    **dict.fromkeys((r"\g", r"\gx", r"\parse", r"\bind_named", r"\crosstabview"), _SEMICOLON),
    **dict.fromkeys(
        (r"\if", r"\elif", r"\else", r"\endif"),
        "write the condition in SQL, as in `DO $$ BEGIN IF … THEN … END IF; END $$`",
    ),
    r"\copy": "write `COPY … FROM STDIN;` with the rows below it and `\\.` at their end, or INSERT",
    r"\gexec": "write the statements, or run them in `DO $$ BEGIN EXECUTE …; END $$`",
    r"\gdesc": _SEMICOLON,
    r"\watch": _SEMICOLON,
    r"\;": "write a semicolon without the backslash",
    r"\.": "remove the line: it ends the rows of a COPY … FROM STDIN, but none is open here",
    r"\!": "remove the line: a migration cannot run programs",
    r"\password": "write `ALTER ROLE … PASSWORD …`",
    r"\encoding": "remove the line, and keep the file in UTF-8",
    **dict.fromkeys((r"\echo", r"\qecho", r"\warn"), f"{_REMOVE}, or write a comment"),
}


def end_of_guard(text: str, start: int) -> int | None:
    """Where a line of pg_dump's that guards against commands ends; None for all others."""
    found = _GUARD.match(text, start)
    begun = text[text.rfind("\n", 0, start) + 1 : start]
    return found.end() if found and not begun.strip() else None


def command_at(text: str, start: int) -> ClientCommand:
    """The error for a backslash outside quotes."""
    found = _NAME.match(text, start)
    assert found
    line, column, _ = place_of(text, start)
    name = found.group()
    return ClientCommand(
        f"`{name}` is a command of psql, which no server executes",
        line,
        column=column,
        way=_WAYS.get(name.rstrip("+S"), _REMOVE),
    )
