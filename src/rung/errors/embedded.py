"""Errors of the embedded PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors.base import RungError

if TYPE_CHECKING:
    from collections.abc import Sequence


class EmbeddedError(RungError):
    """
    The embedded server cannot be used.

    Args:
        cause: what happened, in a sentence.
        looked_at: the places or the log lines looked at.
        advice: what to do.
    """

    def __init__(self, cause: str, looked_at: Sequence[str] = (), advice: str = "") -> None:
        super().__init__(cause, tuple(looked_at), advice)
        self._cause, self._looked_at, self._advice = cause, tuple(looked_at), advice

    @property
    def cause(self) -> str:
        return self._cause

    @property
    def looked_at(self) -> str:
        return "\n".join(self._looked_at)

    @property
    def advice(self) -> str:
        return self._advice


class BinariesNotFound(EmbeddedError):
    """No PostgreSQL binaries were found, on the system or in a wheel."""


class ServerNotStarted(EmbeddedError):
    """initdb or postgres failed; `looked_at` ends with what they wrote."""
