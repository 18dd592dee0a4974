"""Fixtures of the unit tests."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from rung.script import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.script.model import Cut


@pytest.fixture
def lexed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are lexed from here on, in order."""
    texts: list[str] = []

    def counted(text: str, cut: Callable[[str], Cut]) -> Cut:
        texts.append(text)
        return cut(text)

    counting = {kind: partial(counted, cut=cut) for kind, cut in parse._CUTTERS.items()}
    monkeypatch.setattr(parse, "_CUTTERS", counting)
    return texts
