"""The available models, and the usage."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BeforeValidator

from chatapp import problems
from chatapp.api import schemas
from chatapp.api.description import problems_of
from chatapp.api.services import Asking, CurrentUser, Here
from chatapp.postgres import store

router = APIRouter(tags=["usage"])

_USUAL = timedelta(days=30)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _day(given: object) -> object:
    """Accept a day as text, and not the seconds that pydantic accepts too."""
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise ValueError("a day is written YYYY-MM-DD")
    return given


Day = Annotated[date, BeforeValidator(_day)]


@router.get("/models", responses=problems_of(401))
async def list_models(here: Here, user: CurrentUser) -> list[schemas.OfferedModel]:
    """List the available models."""
    del user
    return [
        schemas.OfferedModel(
            provider=offer.provider,
            model=offer.model,
            prompt_price=offer.price.prompt if offer.price else None,
            completion_price=offer.price.completion if offer.price else None,
        )
        for offer in here.catalogue.offers
    ]


@router.get("/usage", responses=problems_of(401))
async def get_usage(
    caller: Asking,
    since: Annotated[Day | None, Query(description="The first day, UTC.")] = None,
    until: Annotated[Day | None, Query(description="The last day, UTC.")] = None,
) -> schemas.UsageReport:
    """Sum up the user's answers by day, model and provider, without deleted conversations."""
    last = until or datetime.now(UTC).date()
    first = since or max(last, date.min + _USUAL) - _USUAL
    if first > last:
        raise problems.unusable("bad-range", "The first day is after the last.")
    async with caller.reading() as (connection, user):
        row = await store.sum_usage(connection, user.id, first, last)
    days = [schemas.DayUsage.model_validate(one) for one in row]
    cost = sum((day.cost_usd for day in days), start=Decimal(0))
    return schemas.UsageReport(since=first, until=last, cost_usd=cost, days=days)
