"""
A second connection beside the one that works, for looks and signs of life meanwhile.

Opened when it is first needed, and never needed to go on: what fails on it is no answer. It is
asked while the first one waits for a reply (`Wire.while_waiting`), so its questions are quick.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rung.drivers.found import Disconnected
from rung.drivers.postgres.wire import Wire
from rung.stopping import Stop

if TYPE_CHECKING:
    from rung.drivers.postgres.connection import Connector, Opened
    from rung.drivers.postgres.quoting import Sql
    from rung.drivers.postgres.wire import Reply

_ANSWER_WITHIN = 1.0
_TRY_AGAIN_AFTER = 5.0


class Side:
    """
    The second connection to one database.

    Args:
        connector: opens it; it gets the same role and settings as the first.
    """

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._opened: Opened | None = None
        self._wire: Wire | None = None
        self._failed = -_TRY_AGAIN_AFTER

    def ask(self, sql: Sql) -> Reply | None:
        """Ask; None where there is no second connection, or it does not answer."""
        try:
            return self._current().ask(sql, within=_ANSWER_WITHIN)
        except Exception:  # noqa: BLE001 - a password function is the user's, and may raise anything
            self._failed = time.monotonic()
            self.close()
            return None

    def close(self) -> None:
        """Close it, where it was opened."""
        opened, self._opened, self._wire = self._opened, None, None
        if opened is not None:
            opened.connection.close()

    def _current(self) -> Wire:
        if self._wire is None:
            if time.monotonic() - self._failed < _TRY_AGAIN_AFTER:
                raise Disconnected("not tried again yet")
            self._opened = self._connector.open(_ANSWER_WITHIN)
            before = () if self._opened.taken else self._opened.settings.for_message
            self._wire = Wire(self._opened.connection, Stop(), before)
        return self._wire
