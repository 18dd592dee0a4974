"""Identify users: folded names, and tokens that are valid as long as the password."""

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
_CACHED_TOKENS = 4096


def fold(name: str) -> str:
    """Normalize a user name or address for storage and comparison: composed, without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


class Claims(NamedTuple):
    """The content of a token with a valid signature."""

    user_id: UUID
    password: str
    """The fingerprint of the password that was valid when the token was issued."""
    key: int
    """The index of the secret that signed it."""
    expires: float
    """In seconds since 1970."""


class Tokens:
    """
    Issue tokens at log-in, and verify them.

    A token has a fingerprint of the current password, so it becomes invalid when the password is
    changed. The fingerprint is an HMAC of the salt in the password's hash: every change of a
    password creates a new salt, and a rehash of the same password keeps it (see `Passwords`), so
    that stronger parameters log nobody out.

    Args:
        secret: the signing key; the same in every replica.
        lifetime: seconds for which a token is valid.
        previous: another key whose tokens are accepted during a rotation of secrets.
    """

    def __init__(self, secret: str, lifetime: int, previous: str | None = None) -> None:
        self._secrets = (secret, previous) if previous else (secret,)
        self.lifetime = lifetime
        # A client sends its token with each request, and its signature does not change.
        self._verified = lru_cache(_CACHED_TOKENS)(self._verify)

    def issue(self, user: User) -> str:
        """Return a token for a user, valid from now on."""
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
        """Return a token's claims; None for one that is foreign, changed or expired."""
        try:
            claims = self._verified(token)
        except (jwt.InvalidTokenError, ValueError):
            return None
        return claims if time.time() < claims.expires else None

    def _verify(self, token: str) -> Claims:
        """Return a token's claims, expired or not; raise if no secret signed it."""
        for key, secret in enumerate(self._secrets):
            try:
                # When it was issued is not checked: another replica's clock may be ahead.
                payload = jwt.decode(token, secret, [_ALGORITHM], issuer=_ISSUER, options=_OPTIONS)
            except jwt.InvalidSignatureError:
                continue
            return Claims(UUID(payload["sub"]), str(payload["pwd"]), key, float(payload["exp"]))
        raise jwt.InvalidSignatureError

    def holds(self, claims: Claims, user: User) -> bool:
        """Report whether the password has not changed since the token was issued."""
        expected = _fingerprint(self._secrets[claims.key], user)
        return hmac.compare_digest(expected.encode(), claims.password.encode())


def _fingerprint(secret: str, user: User) -> str:
    """Return the HMAC of a password's salt; its input cannot be that of a token's HMAC."""
    parts = user.password_hash.split("$")
    salt = parts[-2] if len(parts) > 1 else user.password_hash
    message = b"\0password" + user.id.bytes + salt.encode()
    return hmac.digest(secret.encode(), message, "sha256")[:16].hex()
