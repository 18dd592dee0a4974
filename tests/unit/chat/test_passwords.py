"""Passwords: how many are hashed at once, and what is left of a queue that is too long."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from chatapp import passwords
from chatapp.passwords import Passwords
from chatapp.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def two() -> Iterator[Passwords]:
    """Hash two at once, cheaply."""
    made = Passwords(1, 32, at_once=2)
    yield made
    made.close()


class Slow:
    """A hasher that waits until it may go on, and counts how many wait with it."""

    def __init__(self) -> None:
        self.go, self.both = threading.Event(), threading.Event()
        self.now = self.most = 0
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now == 2:
                self.both.set()
        assert self.go.wait(60)
        with self._lock:
            self.now -= 1
        return password


def test_as_many_at_once_as_are_allowed(two: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait, and every one is hashed in the end."""
    slow = Slow()
    monkeypatch.setattr(two, "_hasher", slow)

    async def several() -> list[str]:
        asking = [asyncio.create_task(two.hash_password(str(number))) for number in range(12)]
        await asyncio.to_thread(slow.both.wait, 60)
        slow.go.set()
        return await asyncio.gather(*asking)

    assert asyncio.run(several()) == [str(number) for number in range(12)]
    assert slow.most == 2


def test_too_many_who_wait(two: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a queue that nobody would wait for, the answer is 503 at once."""
    slow = Slow()
    monkeypatch.setattr(two, "_hasher", slow)
    most = 2 * (1 + passwords._MAX_WAITING)

    async def many() -> list[str | BaseException]:
        asking = [asyncio.create_task(two.hash_password("x")) for _ in range(most + 1)]
        await asyncio.wait([asking[-1]])
        slow.go.set()
        return await asyncio.gather(*asking, return_exceptions=True)

    *hash_password, refused = asyncio.run(many())
    assert isinstance(refused, Problem)
    assert (refused.status, refused.name, set(hash_password)) == (503, "busy", {"x"})


def test_a_request_that_is_given_up(two: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hangs up leaves the queue, and nobody is let in for a hash that still runs."""
    slow = Slow()
    monkeypatch.setattr(two, "_hasher", slow)

    async def given_up() -> str:
        asking = [asyncio.create_task(two.hash_password(str(number))) for number in range(6)]
        await asyncio.to_thread(slow.both.wait, 60)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        last = asyncio.create_task(two.hash_password("last"))
        await asyncio.sleep(0.05)
        running = slow.now
        slow.go.set()
        assert running == 2
        return await last

    assert (asyncio.run(given_up()), slow.most) == ("last", 2)


@pytest.mark.parametrize(
    ("password", "common"),
    [
        ("password123", True),
        ("PASSWORD123", True),
        ("\uff50assword123", True),
        ("ada@example.org", True),
        ("Ada", True),
        ("correct horse battery", False),
        ("MIT License", False),
        ("", False),
    ],
)
def test_common_passwords(two: Passwords, password: str, common: bool) -> None:  # noqa: FBT001 - a case
    """A password of the list is common in any case and width, as is one's own name or address."""
    assert two.is_common(password, "ada", "ada@example.org") == common
