"""
Which scripts golang-migrate could not run on a fresh database, and why. Pure.

A team that wants to be able to go back keeps its files such that it can. golang-migrate sends
a file as it is: to PostgreSQL in one message, which is one transaction unless the file holds
one statement or transactions of its own; to SQLite always in a transaction around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.script.dialect import Dialect
from rung.script.model import Control

if TYPE_CHECKING:
    from rung.script.model import Script

_ALWAYS_ENCLOSED = frozenset({Dialect.SQLITE})
_BOM = "it begins with a byte order mark, which golang-migrate sends to the server"


def golang_migrate_refuses(script: Script, *, byte_order_mark: bool = False) -> str:
    """
    Say why golang-migrate could not run a script, in a sentence; empty where it could.

    Args:
        script: the SQL as it was read.
        byte_order_mark: whether the file began with one.
    """
    if byte_order_mark:
        return _BOM
    enclosed = script.dialect in _ALWAYS_ENCLOSED
    for one in script.statements:
        if one.copy_data is not None:
            return f"only psql and rung read the data of the COPY on line {one.line}"
        if one.needs_no_transaction and (enclosed or len(script.statements) > 1):
            what = f"{one.needs_no_transaction} on line {one.line}"
            return f"it is one transaction there, and {what} cannot run inside one"
        if enclosed and one.control is Control.BEGIN:
            return f"it is one transaction there, and BEGIN on line {one.line} opens a second"
    return ""
