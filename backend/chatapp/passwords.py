"""
Passwords: hashed with Argon2id, at most a few at once, and refused where many people have them.

A hash takes its memory for as long as it runs, so how many run at once bounds what log-ins take.
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
from chatapp.identity import folded

if TYPE_CHECKING:
    from collections.abc import Callable

_COMMON = "common_passwords.txt"
_MOST_WAITING = 32
"""How many may wait for each that runs; more than that would wait longer than anybody does."""

T = TypeVar("T")


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Passwords:
    """
    Hashes passwords and checks them, in threads of its own.

    The threads are the bound: a request that is given up leaves the queue, and a hash that runs
    keeps its thread to its end. A semaphore around other threads would let the next one in as
    soon as a request is given up, while its hash still runs.

    Args:
        time_cost: passes over the memory.
        memory_cost: KiB.
        at_once: how many run at the same time; None for the number of cores.
    """

    def __init__(self, time_cost: int, memory_cost: int, at_once: int | None = None) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_cost)
        self._nobody = self._hasher.hash("nobody's")
        self._at_once = at_once or cores()
        self._threads = ThreadPoolExecutor(self._at_once, "password")
        self._under_way = 0
        lines = resources.files(__package__).joinpath(_COMMON).read_text("utf-8").splitlines()
        self._common = frozenset(line for line in lines if not line.startswith("#"))

    async def hashed(self, password: str) -> str:
        """The hash to keep, with a salt of its own."""
        return await self._run(lambda: self._hasher.hash(_composed(password)))

    async def rehashed(self, password: str, kept: str) -> str:
        """
        The hash of the same password with today's parameters, and the salt that it has.

        Tokens bear a fingerprint of the salt, so that they stay good. The salt's purpose is kept:
        it is still one password's alone.
        """
        encoded = kept.split("$")[-2]
        salt = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
        return await self._run(lambda: self._hasher.hash(_composed(password), salt=salt))

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether it is the one; takes as long where there is nobody of that name."""

        def verified() -> bool:
            try:
                return self._hasher.verify(kept or self._nobody, _composed(password))
            except (Argon2Error, InvalidHashError):
                return False

        return await self._run(verified) and kept is not None

    def is_dated(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than are usual now, but for its salt."""
        usual, made = extract_parameters(self._nobody), extract_parameters(kept)
        return dataclasses.replace(made, salt_len=usual.salt_len) != usual

    def is_common(self, password: str, *names: str) -> bool:
        """Whether many people have it in any case, or it is a name of one's own."""
        text = folded(password)
        own = {part for name in names for part in (folded(name), folded(name).partition("@")[0])}
        return text in self._common or text in own

    def close(self) -> None:
        """Start no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= self._at_once * (1 + _MOST_WAITING):
            raise problems.busy("Too many people log in at the moment.")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1


def _composed(password: str) -> str:
    """As RFC 8265 has passwords: the same, however a keyboard puts accents to letters."""
    return unicodedata.normalize("NFC", password)
