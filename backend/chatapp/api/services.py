"""What every route works with, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chatapp import problems
from chatapp.identity import Passwords, Tokens
from chatapp.metrics import Metrics
from chatapp.models import Catalogue
from chatapp.postgres import Pool, store
from chatapp.settings import Settings
from chatapp.values import User
from rung.integrations.fastapi import Migrations

_bearer = HTTPBearer(auto_error=False, description="A token from `POST /v1/tokens`.")


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that the application is put together from."""

    settings: Settings
    pool: Pool
    catalogue: Catalogue
    passwords: Passwords
    tokens: Tokens
    metrics: Metrics
    migrations: Migrations


def _services(request: Request) -> Services:
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


Here = Annotated[Services, Depends(_services)]


async def _current_user(
    here: Here, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> User:
    """Read who is asking from the token; they still have to be there."""
    if given is None:
        raise problems.unauthorised("Send a token: Authorization: Bearer TOKEN.")
    user_id = here.tokens.read(given.credentials)
    if user_id is None:
        raise problems.unauthorised("The token is not good, or not any more; log in again.")
    async with here.pool.connection() as connection:
        user = await store.user_by_id(connection, user_id)
    if user is None:
        raise problems.unauthorised("The account of this token is gone.")
    return user


CurrentUser = Annotated[User, Depends(_current_user)]
