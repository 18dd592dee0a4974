"""The services of every route, and the user of a request."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chatapp import problems
from chatapp.api.limits import Attempts
from chatapp.identity import Claims, Tokens
from chatapp.llm import Catalogue
from chatapp.metrics import Metrics
from chatapp.passwords import Passwords
from chatapp.postgres import Pool, SchemaReader, store
from chatapp.postgres.rows import Connection
from chatapp.running_answers import Answers
from chatapp.settings import Settings
from chatapp.values import User
from rung.integrations.fastapi import Migrations

_bearer = HTTPBearer(auto_error=False, description="A token from `POST /v1/tokens`.")


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the application."""

    settings: Settings
    pool: Pool
    catalogue: Catalogue
    passwords: Passwords
    tokens: Tokens
    attempts: Attempts
    metrics: Metrics
    answers: Answers
    migrations: Migrations
    schema: SchemaReader


async def _services(request: Request) -> Services:  # a plain function would be run in a thread
    row = request.app.state.services
    assert isinstance(row, Services)
    return row


Here = Annotated[Services, Depends(_services)]


class Turn(NamedTuple):
    """A connection, and the user of the request."""

    connection: Connection
    user: User


class Caller:
    """
    The user of a request by their token, which is checked against the database later.

    The account is read as the first statement on the connection that the request uses, so that a
    request takes a connection once.
    """

    def __init__(self, here: Services, claims: Claims) -> None:
        self._here, self._claims = here, claims

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Turn, None]:
        """
        Return a connection for a `with` block that only reads.

        Raises:
            Problem: the account was deleted, or its password was changed.
        """
        async with self._here.pool.alone() as connection:
            yield Turn(connection, await self.authenticated(connection))

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Turn, None]:
        """
        Return a connection for a `with` block that is a transaction.

        Raises:
            Problem: the account was deleted, or its password was changed.
        """
        async with self._here.pool.connection() as connection:
            yield Turn(connection, await self.authenticated(connection))

    async def authenticated(self, connection: Connection) -> User:
        """
        Return the user of the token.

        Raises:
            Problem: the account was deleted, or its password was changed.
        """
        user = await store.user_by_id(connection, self._claims.user_id)
        if user is None:
            raise problems.unauthorised("The account of this token is gone.")
        if not self._here.tokens.holds(self._claims, user):
            raise problems.unauthorised("The password was changed since; log in again.")
        return user


async def _caller(
    request: Request,
    here: Here,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Return the caller by the claims that `RateLimit` has verified."""
    if given is None:
        raise problems.unauthorised("Send a token: Authorization: Bearer TOKEN.")
    if request.state.claims is None:
        raise problems.unauthorised("The token is not good, or not any more; log in again.")
    return Caller(here, request.state.claims)


Asking = Annotated[Caller, Depends(_caller)]


async def _current_user(caller: Asking) -> User:
    """Return the user, for a request that needs nothing else of the database."""
    async with caller.reading() as turn:
        return turn.user


CurrentUser = Annotated[User, Depends(_current_user)]
