"""Register, log in, and manage the user's account."""

from __future__ import annotations

from fastapi import APIRouter, Request
from psycopg import errors

from chatapp import problems, values
from chatapp.api import schemas
from chatapp.api.description import problems_of
from chatapp.api.limits import network
from chatapp.api.services import Asking, CurrentUser, Here, Services
from chatapp.identity import fold
from chatapp.postgres import store

router = APIRouter(tags=["accounts"])


@router.post(
    "/accounts", status_code=201, response_model=schemas.Account, responses=problems_of(409)
)
async def register(request: Request, here: Here, asked: schemas.Registration) -> values.User:
    """Register. Names and addresses are compared without regard to case."""
    _uncommon(here, asked.password, asked.username, asked.email)
    here.attempts.admit(network(request.scope))
    hash_password = await here.passwords.hash_password(asked.password)
    try:
        async with here.pool.connection() as connection:
            user = await store.add_user(
                connection, fold(asked.username), fold(asked.email), hash_password
            )
    except errors.UniqueViolation:
        raise problems.conflict("name-taken", "That user name or address is taken.") from None
    assert user is not None
    return user


def _uncommon(here: Services, password: str, *names: str) -> None:
    if here.passwords.is_common(password, *names):
        detail = "Many people have that password, or it is your name: choose another one."
        raise problems.unusable("password-common", detail)


@router.post("/tokens", responses=problems_of(401))
async def log_in(request: Request, here: Here, asked: schemas.Credentials) -> schemas.Token:
    """Log in with user name or address; the token is valid until it expires."""
    name, where = fold(asked.name), network(request.scope)
    here.attempts.admit(where, name)
    async with here.pool.alone() as connection:
        user = await store.user_by_name(connection, name)
    kept = user.password_hash if user else None
    verify = await here.passwords.verify(asked.password, kept)
    here.metrics.log_in(succeeded=verify)
    if not verify or user is None:
        raise problems.unauthorised("There is no such account, or the password is another.")
    here.attempts.succeeded(where, user.username)
    here.attempts.succeeded(where, user.email)
    if here.passwords.is_outdated(user.password_hash):
        hash_password = await here.passwords.rehash(asked.password, user.password_hash)
        async with here.pool.connection() as connection:
            await store.set_password_hash(connection, user, hash_password)
    return _token(here, user)


def _token(here: Services, user: values.User) -> schemas.Token:
    return schemas.Token(access_token=here.tokens.issue(user), expires_in=here.tokens.lifetime)


@router.get("/account", response_model=schemas.Account, responses=problems_of(401))
async def get_account(user: CurrentUser) -> values.User:
    """Show the user's account."""
    return user


@router.put("/account/password", responses=problems_of(401, 403, 409))
async def change_password(
    request: Request, here: Here, user: CurrentUser, asked: schemas.PasswordChange
) -> schemas.Token:
    """
    Set another password, or the same one again, and get a new token.

    Every older token becomes invalid, including that of this request.
    """
    _uncommon(here, asked.new, user.username, user.email)
    here.attempts.admit(network(request.scope), user.username)
    if not await here.passwords.verify(asked.current, user.password_hash):
        raise problems.forbidden("password-wrong", "The current password is another.")
    hash_password = await here.passwords.hash_password(asked.new)
    async with here.pool.connection() as connection:
        changed = await store.set_password_hash(connection, user, hash_password)
    if changed is None:
        raise problems.conflict("password-changed", "The password was changed meanwhile.")
    return _token(here, changed)


@router.delete("/account", status_code=204, responses=problems_of(401))
async def delete_account(caller: Asking) -> None:
    """Delete the account with all conversations, messages and summaries."""
    async with caller.writing() as (connection, user):
        await store.delete_user(connection, user.id)
