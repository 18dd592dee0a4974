"""The error of a certification that cannot be made; violations are a result and no error."""

from __future__ import annotations

from rung.errors.base import _Told


class NotCertifiable(_Told):
    """The migrations do not run undisturbed, or not twice alike: there is nothing to hold to."""

    @property
    def state(self) -> str:
        return "No database was touched but one that was thrown away."
