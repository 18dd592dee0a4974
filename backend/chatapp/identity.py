"""Who somebody is: folded names, and tokens that end with the password they were given for."""

from __future__ import annotations

import hmac
import time
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import jwt

if TYPE_CHECKING:
    from jwt.types import Options

    from chatapp.values import User

_ALGORITHM = "HS256"
_ISSUER = "chatapp"
_OPTIONS: Options = {
    "require": ["iss", "sub", "exp", "pwd"],
    "verify_iat": False,
    "verify_exp": False,
}
_MOST_REMEMBERED = 4096


def folded(name: str) -> str:
    """A user name or address as it is stored and compared: composed, without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


class Claims(NamedTuple):
    """What a token says that bears our signature."""

    user_id: UUID
    password: str
    """The fingerprint of the password that it was given for."""
    key: int
    """Which of our secrets has signed it."""
    expires: float
    """In seconds since 1970."""


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
        # A client sends its token with each request; what it says and who signed it stays so.
        self._verified = lru_cache(_MOST_REMEMBERED)(self._verify)

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
        try:
            claims = self._verified(token)
        except (jwt.InvalidTokenError, ValueError):
            return None
        return claims if time.time() < claims.expires else None

    def _verify(self, token: str) -> Claims:
        """What a token says, expired or not; raises where it is none of ours."""
        for key, secret in enumerate(self._secrets):
            try:
                # When it was issued is not checked: another replica's clock may be ahead.
                said = jwt.decode(token, secret, [_ALGORITHM], issuer=_ISSUER, options=_OPTIONS)
            except jwt.InvalidSignatureError:
                continue
            return Claims(UUID(said["sub"]), str(said["pwd"]), key, float(said["exp"]))
        raise jwt.InvalidSignatureError

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
