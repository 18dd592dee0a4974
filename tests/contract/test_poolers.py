"""Behind a pooler's transactions the driver contract is kept as well, on a pool of two."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.contract.subject import BEFORE, MOVES
from tests.contract.suite import RunContract
from tests.contract.test_postgres import subject

from rung import database as databases
from rung.drivers import open_driver
from rung.drivers.contract import Ping

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.subject import Subject
    from tests.poolers import Pooler
    from tests.servers import Database

    from rung.drivers.contract import LedgerTransition, Session

__all__ = ["subject"]


_FEW = {"up": MOVES["up"], "from empty": MOVES["from empty"]}
_ROWS = {"row": BEFORE["row"], "empty": BEFORE["empty"]}
"""The ledger's moves are the same SQL with a pooler as without; a few of them tell."""


class TestBehindAPooler(RunContract):
    """The contract, as far as a run needs it."""

    @pytest.fixture
    def subject(
        self, subject: Subject, database: Database, pooler: Callable[..., Pooler]
    ) -> Subject:
        url = pooler("transaction", default_pool_size="2").url(database)
        return replace(subject, driver=open_driver(databases.Database(url)))

    def test_a_server_that_answers(self, subject: Subject, session: Session) -> None:
        """A ping is answered, and each look and each place says that it is pooled."""
        assert subject.driver.ping() is Ping.ANSWERS
        assert session.inspect().place.pooled
        assert session.locate().pooled

    def test_a_lock_excludes_a_second_session(self, open_one: Callable[[], Session]) -> None:
        """While one session holds the lease no other gets it, and may see whose it is."""
        first, second = open_one(), open_one()
        assert first.try_lock()
        assert not second.try_lock()
        holder = second.lock_holder()

        assert holder is not None
        assert (holder.pid, holder.address) == (os.getpid(), os.uname().nodename)
        assert holder.silent is not None

    @pytest.mark.parametrize("move", _FEW.values(), ids=_FEW)
    @pytest.mark.parametrize("rows", _ROWS.values(), ids=_ROWS)
    def test_compare_and_set(
        self, subject: Subject, ready: Session, rows: list[tuple[int, bool]], move: LedgerTransition
    ) -> None:
        """The ledger moves from exactly the state that was planned for."""
        super().test_compare_and_set(subject, ready, rows, move)

    @pytest.mark.parametrize("move", _FEW.values(), ids=_FEW)
    @pytest.mark.parametrize("rows", _ROWS.values(), ids=_ROWS)
    def test_compare_and_set_of_units(
        self, subject: Subject, ready: Session, rows: list[tuple[int, bool]], move: LedgerTransition
    ) -> None:
        """So does the dirty mark of a file of units."""
        super().test_compare_and_set_of_units(subject, ready, rows, move)
