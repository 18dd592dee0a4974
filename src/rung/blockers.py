"""
Who keeps a lock from us and who waits behind us, as values and in sentences. Pure.

As far as our rights show it: of another role's session that is the process, the role and the
application; of its query and its state nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MINUTE, _HOUR = 60, 3600
_FEW = 3
_AUTOVACUUM = "autovacuum: "


class Blocker(NamedTuple):
    """Who keeps a lock from us."""

    pid: int
    """0 for a prepared transaction, which has no process."""
    user: str = ""
    application: str = ""
    state: str = ""
    """active, idle in transaction, …; empty where it is not shown."""
    in_state: float | None = None
    """Seconds in that state; for an active one since its query began."""
    in_transaction: float | None = None
    """Seconds since its transaction began."""
    query: str = ""
    """The beginning of its query, the last one where it is idle; its secrets masked."""
    prepared: str = ""
    """The name of a prepared transaction, where it is one and its name is known."""
    standby: str = ""
    """Which standbys are waited for, where a commit waits for a synchronous one."""

    def __str__(self) -> str:
        if self.standby:
            return f"a synchronous standby ({self.standby})"
        if not self.pid and self.prepared:
            since = f", prepared{_for(self.in_transaction)}" if self.in_transaction else ""
            return f'the prepared transaction "{self.prepared}"{since}'
        if not self.pid:
            return "a prepared transaction (see pg_prepared_xacts)"
        who = [f"user {self.user}"] if self.user else []
        who += [f"application {self.application}"] if self.application else []
        said = f"process {self.pid}" + (f" ({', '.join(who)})" if who else "")
        if self.state:
            said += f", {self.state}" + _for(self.in_state)
        if (self.in_transaction or 0.0) - (self.in_state or 0.0) >= 1:
            said += f", its transaction open{_for(self.in_transaction)}"
        return said + (f": {self.query}" if self.query else "")

    @property
    def ending(self) -> str:
        """The SQL that ends it; empty where it ends by itself, or is not known."""
        if self.query.startswith(_AUTOVACUUM):
            return ""
        if self.pid:
            return f"SELECT pg_terminate_backend({self.pid});"
        quoted = self.prepared.replace("'", "''")
        return f"ROLLBACK PREPARED '{quoted}';" if self.prepared else ""


class Queued(NamedTuple):
    """Who waits behind us for the same lock."""

    pid: int
    application: str = ""

    def __str__(self) -> str:
        return f"{self.pid} ({self.application})" if self.application else str(self.pid)


def held_by(blockers: Iterable[Blocker]) -> tuple[str, ...]:
    """A line for each, what ends it, and one for an autovacuum: a longer wait would move it."""
    lines = []
    for one in blockers:
        lines.append(f"Held {'up ' if one.standby else ''}by {one}")
        if one.ending:
            lines.append(f"To end it: {one.ending}")
        if one.query.startswith(_AUTOVACUUM):
            lines.append("It gives way to who waits for more than a second: --lock-timeout 1500ms")
    return tuple(lines)


def waiting_behind(queued: Sequence[Queued]) -> str:
    """How many wait behind us, and the first of them; empty where nobody does."""
    if not queued:
        return ""
    names = ", ".join(map(str, queued[:_FEW]))
    more = ", …" if len(queued) > _FEW else ""
    return f"Behind us in the queue: {len(queued)}, process {names}{more}"


def _for(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f" for {seconds:.1f} s"
    whole = int(seconds)
    if seconds < _HOUR:
        return f" for {whole // _MINUTE} min {whole % _MINUTE} s"
    return f" for {whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
