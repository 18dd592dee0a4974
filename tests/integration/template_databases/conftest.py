"""A server of their own: what other tests keep on the worker's would be counted here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.servers import throwaway_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """Keep one for the module."""
    yield from throwaway_server()
