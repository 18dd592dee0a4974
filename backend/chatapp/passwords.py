"""
Hash passwords with Argon2id, a few at a time, and recognize common ones.

A hash holds its memory while it runs, so the number of concurrent ones bounds the memory.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import TYPE_CHECKING, TypeVar

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError

from chatapp import problems
from chatapp.identity import fold

if TYPE_CHECKING:
    from collections.abc import Callable

_COMMON = "common_passwords.txt"
_MAX_WAITING = 32
"""The most waiting requests for each running hash; more would wait longer than clients do."""

T = TypeVar("T")


def cores() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Passwords:
    """
    Hash and verify passwords in a thread pool of their own.

    The size of the pool is the bound: an abandoned request leaves the queue, and a running hash
    keeps its thread to its end. A semaphore around other threads would admit the next request as
    soon as one is abandoned, while its hash still runs.

    Args:
        time_cost: passes over the memory.
        memory_cost: KiB.
        at_once: the number of concurrent hashes; None for the number of cores.
    """

    def __init__(self, time_cost: int, memory_cost: int, at_once: int | None = None) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_cost)
        self._dummy_hash = self._hasher.hash("nobody's")
        self._at_once = at_once or cores()
        self._threads = ThreadPoolExecutor(self._at_once, "password")
        self._running = 0
        lines = resources.files(__package__).joinpath(_COMMON).read_text("utf-8").splitlines()
        self._common = frozenset(line for line in lines if not line.startswith("#"))

    async def hash_password(self, password: str) -> str:
        """Return the hash to store, with a new salt."""
        return await self._run(lambda: self._hasher.hash(_composed(password)))

    async def rehash(self, password: str, stored_hash: str) -> str:
        """
        Return the hash of the same password with the current parameters and the same salt.

        Tokens have a fingerprint of the salt, so they stay valid. The salt still belongs to one
        password only.
        """
        encoded = stored_hash.split("$")[-2]
        salt = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
        return await self._run(lambda: self._hasher.hash(_composed(password), salt=salt))

    async def verify(self, password: str, stored_hash: str | None) -> bool:
        """Report whether a password is correct; takes as long for a user that does not exist."""

        def verify_hash() -> bool:
            try:
                return self._hasher.verify(stored_hash or self._dummy_hash, _composed(password))
            except (Argon2Error, InvalidHashError):
                return False

        return await self._run(verify_hash) and stored_hash is not None

    def is_outdated(self, stored_hash: str) -> bool:
        """Report whether a hash has other parameters than the current ones, except its salt."""
        current, stored = extract_parameters(self._dummy_hash), extract_parameters(stored_hash)
        return dataclasses.replace(stored, salt_len=current.salt_len) != current

    def is_common(self, password: str, *names: str) -> bool:
        """Report whether a password is a common one or one of the user's own names."""
        text = fold(password)
        own = {part for name in names for part in (fold(name), fold(name).partition("@")[0])}
        return text in self._common or text in own

    def close(self) -> None:
        """Start no more hashes."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._running >= self._at_once * (1 + _MAX_WAITING):
            raise problems.busy("Too many people log in at the moment.")
        self._running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._running -= 1


def _composed(password: str) -> str:
    """Normalize a password by RFC 8265, so that composed and combining accents are equal."""
    return unicodedata.normalize("NFC", password)
