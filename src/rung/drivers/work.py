"""What running a file takes and gives, as values; the part of the contract that a run needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rung.errors import ServerMessage
    from rung.ledger import LedgerState, Outcome


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is recorded of one attempt at one half of a migration."""

    id: str
    """A UUID of ours, by which the attempt is found again after a lost connection."""
    version: int | None
    name: str
    direction: str
    up_checksum: str | None
    down_checksum: str | None
    up_sql: str | None
    """The SQL of the halves; None where an earlier row of the version has the same."""
    down_sql: str | None
    statements_total: int


@dataclass(frozen=True, slots=True)
class Move:
    """The ledger's move: from exactly the state a plan was made for, to another."""

    before: LedgerState
    after: LedgerState


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    Why a script did not run to its end; it was rolled back as far as its unit reaches.

    `statement` is the number of the statement that failed in the script, and `offset` the
    place in the script's text, both None where it was not a statement of the script.
    """

    server: ServerMessage
    statement: int | None = None
    offset: int | None = None
    statements_done: int = 0
    at_commit: bool = False
    needs_no_transaction: bool = False
    """The server runs that statement only outside a transaction block."""
    ledger_moved: bool = False
    """Every statement ran, and the ledger was not in the state the move starts from."""
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class ServerNotice:
    """A notice or warning; `sqlstate` is empty where the database has none."""

    severity: str
    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True)
class Ran:
    """What running a script or a unit of it came to: all of it (no refusal), or none."""

    refusal: Refusal | None = None
    notices: tuple[ServerNotice, ...] = ()
    control_warning: str = ""
    """The server's warning of transaction control that the lexer did not see; else empty."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was found after a lost connection."""

    outcome: Outcome | None
    """What the history says of the attempt; None where nothing of it is left."""
    ledger: LedgerState


@dataclass(frozen=True, slots=True)
class Carried:
    """Settings that a file left changed in its session, before they were put back."""

    names: tuple[str, ...] = ()
