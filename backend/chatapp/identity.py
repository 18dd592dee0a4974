"""Who somebody is: folded names, and tokens that end with the password they were given for."""

from __future__ import annotations

import hmac
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import jwt

if TYPE_CHECKING:
    from chatapp.values import User

_ALGORITHM = "HS256"
_ISSUER = "chatapp"
_REQUIRED = ["iss", "sub", "exp", "pwd"]


def folded(name: str) -> str:
    """A user name or address as it is stored and compared: composed, without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


class Claims(NamedTuple):
    """What a token says that bears our signature and has not expired."""

    user_id: UUID
    password: str
    """The fingerprint of the password that it was given for."""
    key: int
    """Which of our secrets has signed it."""


class Tokens:
    """
    Signs who has logged in, and reads it back.

    A token bears a fingerprint of the password that it was given for, so it ends when that is
    changed. The fingerprint is an HMAC of the salt in the password's hash: every change of a
    password draws a new salt, and a rehash of the same password keeps it (see `Passwords`), so
    that stronger parameters log nobody out.

    Args:
        secret: the key that signs; the same in every replica.
        lifetime: seconds that a token is good for.
        previous: another key whose tokens are accepted, while secrets are exchanged.
    """

    def __init__(self, secret: str, lifetime: int, previous: str | None = None) -> None:
        self._secrets = (secret, previous) if previous else (secret,)
        self.lifetime = lifetime

    def issue(self, user: User) -> str:
        """A token for somebody, good from now on."""
        now = datetime.now(UTC)
        claims = {
            "iss": _ISSUER,
            "sub": str(user.id),
            "iat": now,
            "exp": now + timedelta(seconds=self.lifetime),
            "pwd": _fingerprint(self._secrets[0], user),
        }
        return jwt.encode(claims, self._secrets[0], _ALGORITHM)

    def read(self, token: str) -> Claims | None:
        """What a token says; None for one that is not ours, changed or expired."""
        for key, secret in enumerate(self._secrets):
            try:
                claims = jwt.decode(
                    token,
                    secret,
                    [_ALGORITHM],
                    issuer=_ISSUER,
                    # When it was issued is not checked: another replica's clock may be ahead.
                    options={"require": _REQUIRED, "verify_iat": False},
                )
                return Claims(UUID(claims["sub"]), str(claims["pwd"]), key)
            except (jwt.InvalidTokenError, ValueError):
                continue
        return None

    def holds(self, claims: Claims, user: User) -> bool:
        """Whether the password is still the one that a token was given for."""
        expected = _fingerprint(self._secrets[claims.key], user)
        return hmac.compare_digest(expected.encode(), claims.password.encode())


def _fingerprint(secret: str, user: User) -> str:
    """The HMAC of a password's salt; its first byte is none that a token's own HMAC begins with."""
    parts = user.password_hash.split("$")
    salt = parts[-2] if len(parts) > 1 else user.password_hash
    message = b"\0password" + user.id.bytes + salt.encode()
    return hmac.digest(secret.encode(), message, "sha256")[:16].hex()
