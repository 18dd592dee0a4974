"""What one run holds in its hands: the connection, whom it tells, and how far it got."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rung.conventions import RUNG
from rung.drivers.found import Disconnected
from rung.errors import QueryFailed
from rung.events import Notice, Warned

if TYPE_CHECKING:
    from rung.conventions import Conventions
    from rung.drivers.base import Driver, Session
    from rung.drivers.work import Attempt, Ran, Refusal
    from rung.events import Event, Listener
    from rung.locks import Patience
    from rung.runner.preparation import Prepared
    from rung.runner.recording import Recorder
    from rung.runner.report import StepReport
    from rung.stopping import Stop


@dataclass(slots=True)
class Context:
    """One run on one session that holds the lock."""

    driver: Driver
    """To connect anew where the connection is lost."""
    session: Session
    listener: Listener
    stop: Stop
    patience: Patience
    """How to wait for keys that were given up during a concurrent index build."""
    recorder: Recorder
    conventions: Conventions = RUNG
    done: list[StepReport] = field(default_factory=list)
    began: float = 0.0
    """When the step under way began, on `time.perf_counter`."""
    remaining: tuple[int, ...] = ()
    """The versions that are not finished yet, the one under way included."""
    listener_error: Exception | None = None
    """What the listener raised inside a migration; it ends the run after that one."""

    @property
    def applied(self) -> tuple[int, ...]:
        """The versions finished so far."""
        return tuple(step.version for step in self.done)

    def say(self, event: Event) -> None:
        """Tell the listener; what it raises is kept until the migration is over."""
        try:
            self.listener(event)
        except Exception as error:  # noqa: BLE001 - a listener is the user's, and may raise anything
            self.listener_error = self.listener_error or error

    def tell(self, item: Prepared, ran: Ran) -> None:
        """Hand the server's notices on."""
        for notice in ran.notices:
            self.say(Notice(item.step.version, notice.severity, notice.message))

    def record_failure(self, attempt: Attempt, refusal: Refusal) -> None:
        """Write the history's row of an attempt that was rolled back; a warning where it cannot."""
        seconds = time.perf_counter() - self.began
        try:
            self.session.record_failure(attempt, refusal, seconds)
        except (Disconnected, QueryFailed) as error:
            self.say(Warned(f"The failed attempt could not be recorded: {error}"))
