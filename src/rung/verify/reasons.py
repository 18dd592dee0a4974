"""
Decide whether a failure is the files' fault, or that of the scratch database. Pure.

A file that fails because scratch differs from the target is not refuted by that: scratch has
fewer rights, other roles and extensions, and limits of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rung.errors import (
    ConnectionFailed,
    ConnectionLost,
    DatabaseBusy,
    LockLost,
    LockNotAcquired,
    MigrationFailed,
    ScratchFailed,
    sqlstate,
)
from rung.repair.cluster_wide import creates_extension
from rung.script import read

if TYPE_CHECKING:
    from collections.abc import Collection

    from rung.errors import RungError, ServerMessage
    from rung.script import Dialect
    from rung.source import MigrationFile

_NOT_OF_A_FILE = (
    *(ConnectionFailed, ConnectionLost, LockLost, LockNotAcquired, DatabaseBusy, ScratchFailed),
)
_RIGHT = "needs a right that scratch does not give"
_UNAUTHORIZED = frozenset({"not authorized", "authorization denied"})
"""What SQLite says of another file, and of a library."""
_NO_EXTENSION = frozenset({sqlstate.UNDEFINED_FILE, sqlstate.FEATURE_NOT_SUPPORTED})
_CLASSES = {
    sqlstate.CLASS_CONNECTION_EXCEPTION: "needs a server that scratch could not reach",
    sqlstate.CLASS_INVALID_CATALOG_NAME: "names a database that the scratch server does not have",
    sqlstate.CLASS_INSUFFICIENT_RESOURCES: "the scratch server has too few resources",
    sqlstate.CLASS_OPERATOR_INTERVENTION: "it was ended on scratch",
    sqlstate.CLASS_SYSTEM_ERROR: "needs a file that the scratch server does not have",
}
_MISSING = frozenset(
    {
        *(sqlstate.UNDEFINED_FUNCTION, sqlstate.UNDEFINED_OBJECT, sqlstate.UNDEFINED_TABLE),
        *(sqlstate.INVALID_SCHEMA_NAME, sqlstate.FEATURE_NOT_SUPPORTED),
    }
)
"""What a statement fails with that uses an extension which is not there."""
_NAMES_A_ROLE = re.compile(
    r"\A\s*(?:grant|revoke|reassign)\b|\bowner\s+to\b|\bauthorization\b|\bdefault\s+privileges\b|"
    r"\b(?:set|create|alter|drop|on)\s+(?:role|user|group|policy)\b|\btablespace\b",
    re.IGNORECASE,
)
_OF_THE_SERVER = re.compile(
    r"\b(?:shared_preload_libraries|wal_level|max_\w+|track_\w+|summarize_wal)\b"
)
"""Settings that only a server's start or its administrator can change."""


def scratch_reason(
    error: RungError,
    file: MigrationFile | None,
    dialect: Dialect,
    absent_extensions: Collection[str] = (),
) -> str:
    """
    Return why a failure on scratch says nothing of the file: a clause; empty where it does.

    Args:
        error: what a run of the file raised.
        file: the file; None where a version has none.
        dialect: how the database reads SQL.
        absent_extensions: those of the target that scratch does not have.
    """
    if isinstance(error, _NOT_OF_A_FILE):
        return "the scratch database could not be used"
    if not isinstance(error, MigrationFailed):
        return _RIGHT if getattr(error, "sqlstate", "") == sqlstate.INSUFFICIENT_PRIVILEGE else ""
    code, statements = error.server.sqlstate, read(file.text, dialect).statements if file else ()
    at = _statements_at(file, error.place.line, dialect) if file else []
    found = (
        (code == sqlstate.INSUFFICIENT_PRIVILEGE or error.server.message in _UNAUTHORIZED, _RIGHT),
        (
            code in _NO_EXTENSION and any(map(creates_extension, statements)),
            "needs an extension that scratch lacks",
        ),
        (code[:2] in _CLASSES, _CLASSES.get(code[:2], "")),
        (
            code == sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE and _names_a_setting(error.server),
            "needs a setting of the server",
        ),
        (
            code == sqlstate.UNDEFINED_OBJECT and any(map(_NAMES_A_ROLE.search, at)),
            "needs a role or a tablespace that scratch lacks",
        ),
        (
            code in _MISSING and bool(absent_extensions),
            f"perhaps needs an extension that scratch lacks ({', '.join(absent_extensions)})",
        ),
    )
    return next((reason for holds, reason in found if holds), "")


def _statements_at(file: MigrationFile, line: int, dialect: Dialect) -> list[str]:
    """Return the statements that a line of a file may belong to; several may begin on one line."""
    script = read(file.text, dialect)
    begins = max((one.line for one in script.statements if one.line <= line), default=0)
    return [script.text[one.start : one.end] for one in script.statements if one.line == begins]


def _names_a_setting(server: ServerMessage) -> bool:
    texts = (server.message, server.detail, server.hint)
    return any(_OF_THE_SERVER.search(text) for text in texts)
