"""Who somebody is: folded names, hashed passwords, signed tokens."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

_ALGORITHM = "HS256"
_ISSUER = "chatapp"


def folded(name: str) -> str:
    """A user name or address as it is stored and compared: composed, without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _composed(password: str) -> str:
    """As RFC 8265 has passwords: the same, however a keyboard puts accents to letters."""
    return unicodedata.normalize("NFC", password)


class Passwords:
    """
    Hashes passwords with Argon2id and checks them; slow on purpose, so call it in a thread.

    Args:
        time_cost: passes over the memory.
        memory_cost: KiB.
    """

    def __init__(self, time_cost: int, memory_cost: int) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_cost)
        self._nobody = self._hasher.hash("nobody's")

    def hashed(self, password: str) -> str:
        """The hash to keep."""
        return self._hasher.hash(_composed(password))

    def fits(self, password: str, kept: str | None) -> bool:
        """Whether it is the one; takes as long where there is nobody of that name."""
        try:
            self._hasher.verify(kept or self._nobody, _composed(password))
        except (Argon2Error, InvalidHashError):
            return False
        return kept is not None

    def is_dated(self, kept: str) -> bool:
        """Whether a hash was made with weaker parameters than are usual now."""
        return self._hasher.check_needs_rehash(kept)


class Tokens:
    """
    Signs who has logged in, and reads it back.

    Args:
        secret: the key; the same in every replica.
        lifetime: seconds that a token is good for.
    """

    def __init__(self, secret: str, lifetime: int) -> None:
        self._secret, self.lifetime = secret, lifetime

    def issue(self, user_id: UUID) -> str:
        """A token for somebody, good from now on."""
        now = datetime.now(UTC)
        claims = {
            "iss": _ISSUER,
            "sub": str(user_id),
            "iat": now,
            "exp": now + timedelta(seconds=self.lifetime),
        }
        return jwt.encode(claims, self._secret, _ALGORITHM)

    def read(self, token: str) -> UUID | None:
        """Of whom a token speaks; None for one that is not ours, changed or expired."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                [_ALGORITHM],
                issuer=_ISSUER,
                # When it was issued is not held against our clock: another replica's may go ahead.
                options={"require": ["iss", "sub", "exp"], "verify_iat": False},
            )
            return UUID(claims["sub"])
        except (jwt.InvalidTokenError, ValueError):
            return None
