"""Rows of a history, made in short."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from rung.ledger import Attempt, Outcome
from rung.script import checksum, read

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def digest(text: str) -> str:
    """The digest of a half's text."""
    return sha256(text.encode()).hexdigest()


def row(
    version: int | None,
    direction: str = "up",
    *,
    outcome: Outcome = Outcome.DONE,
    up: str | None = "",
    down: str | None = None,
    hour: int = 0,
    name: str = "",
) -> Attempt:
    """A row about halves with these texts, of two seconds from so many hours after noon."""
    began = NOON + timedelta(hours=hour)
    return Attempt(
        id=1,
        attempt="a",
        version=version,
        name=name or f"m{version}",
        direction=direction,
        outcome=outcome,
        statements_total=1,
        statements_done=1,
        in_flight=None,
        started=began,
        finished=began + timedelta(seconds=2),
        error=None,
        up_checksum=None if up is None else checksum(read(up)),
        down_checksum=None if down is None else checksum(read(down)),
        checksum_formula=1,
        up_digest=None if up is None else digest(up),
        down_digest=None if down is None else digest(down),
        tool="rung",
        tool_version="0",
        database_user="ada",
        host="box",
    )
