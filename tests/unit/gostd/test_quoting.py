"""Texts in quotes, as Go shows them."""

from __future__ import annotations

import pytest
from tests.unit.gostd.recordings import recorded

from rung.golang_migrate.gostd.quoting import quoted


@pytest.mark.parametrize(("text", "expected"), recorded("quoted"))
def test_quoted(text: str, expected: str) -> None:
    """What cannot be printed is an escape; bytes that are no UTF-8 are shown as such."""
    assert expected == quoted(text)
