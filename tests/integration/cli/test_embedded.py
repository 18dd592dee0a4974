"""`--database embedded`: a PostgreSQL that comes and goes with the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.cli.conftest import Ended


def test_a_throw_away_server_is_said_to_be_one(rung: Callable[..., Ended]) -> None:
    """On stderr; the result is as ever."""
    ended = rung("up", "--database", "embedded", "--json")

    assert (ended.code, '"version": 3' in ended.out) == (0, True)
    assert "detail: Embedded server: starting a PostgreSQL server.\n" in ended.err
    assert "runs; it and its data end with this command.\n" in ended.err
