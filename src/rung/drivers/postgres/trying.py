"""What trying things out takes: a file's statements as they stand, and where they would run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.drivers.found import Surroundings
from rung.drivers.postgres.message import Message, copy_blocks, file_pieces
from rung.drivers.work import Ran, Refusal

if TYPE_CHECKING:
    from rung.drivers.postgres.wire import Reply, Row, Wire
    from rung.statements import Script

_VERSIONS = 10_000
"""server_version_num counts minor versions below that."""


def try_out(wire: Wire, script: Script, first: int, last: int) -> Ran:
    """Statements of a script in one message, with nothing of ours around them."""
    pieces = tuple(file_pieces(script, first, last))
    message = Message(pieces, copy_blocks(script, first, last), script)
    reply = wire.ask(message.sql, message.copy_data, keeps=message.is_ours)
    return Ran(_refusal(message, reply), tuple(reply.notices))


def surroundings(rows: list[Row]) -> Surroundings:
    """What the rows of the statement `surroundings` tell."""

    def named(what: str) -> list[str]:
        return [name or "" for kind, name, _ in rows if kind == what]

    return Surroundings(
        named("user")[0],
        tuple(named("role")),
        tuple((name or "", value or "") for kind, name, value in rows if kind == "setting"),
        int(named("version")[0]) // _VERSIONS,
        memberships=tuple(named("member")),
        makes_roles="make roles" in named("may"),
        leaves_database="leave the database" in named("may"),
        extensions=tuple((name or "", at or "") for kind, name, at in rows if kind == "extension"),
    )


def _refusal(message: Message, reply: Reply) -> Refusal | None:
    if reply.error is None:
        return None
    position = reply.error.position
    return Refusal(
        reply.error.message,
        message.statement_running(reply.done),
        None if position is None else message.file_offset(position),
        message.file_done(reply.done),
    )
