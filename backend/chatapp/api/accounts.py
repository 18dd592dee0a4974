"""Registering, logging in, and one's own account."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from psycopg import errors

from chatapp import problems, values
from chatapp.api import shapes
from chatapp.api.description import problems_of
from chatapp.api.services import CurrentUser, Here, Services
from chatapp.identity import folded
from chatapp.postgres import store

router = APIRouter(tags=["accounts"])


@router.post(
    "/accounts", status_code=201, response_model=shapes.Account, responses=problems_of(409)
)
async def register(here: Here, asked: shapes.Registration) -> values.User:
    """Register. Names and addresses are compared without regard to case."""
    hashed = await asyncio.to_thread(here.passwords.hashed, asked.password)
    try:
        async with here.pool.connection() as connection:
            user = await store.add_user(
                connection, folded(asked.username), folded(asked.email), hashed
            )
    except errors.UniqueViolation:
        raise problems.conflict("name-taken", "That user name or address is taken.") from None
    assert user is not None
    return user


@router.post("/tokens", responses=problems_of(401))
async def log_in(here: Here, asked: shapes.Credentials) -> shapes.Token:
    """Log in with user name or address; the token is good until it expires."""
    async with here.pool.connection() as connection:
        user = await store.user_by_name(connection, folded(asked.name))
    kept = user.password_hash if user else None
    if not await asyncio.to_thread(here.passwords.fits, asked.password, kept) or user is None:
        raise problems.unauthorised("There is no such account, or the password is another.")
    if here.passwords.is_dated(user.password_hash):
        await _rehash(here, user, asked.password)
    return shapes.Token(access_token=here.tokens.issue(user.id), expires_in=here.tokens.lifetime)


async def _rehash(here: Services, user: values.User, password: str) -> None:
    hashed = await asyncio.to_thread(here.passwords.hashed, password)
    async with here.pool.connection() as connection:
        await store.set_password_hash(connection, user.id, hashed)


@router.get("/account", response_model=shapes.Account, responses=problems_of(401))
async def account(user: CurrentUser) -> values.User:
    """Show who is logged in."""
    return user


@router.delete("/account", status_code=204, responses=problems_of(401))
async def delete_account(here: Here, user: CurrentUser) -> None:
    """Go, and take everything along: conversations, messages, summaries."""
    async with here.pool.connection() as connection:
        await store.delete_user(connection, user.id)
