"""Show the state of the schema to users. Reads only, and names no host and no role."""

from __future__ import annotations

import logging

from fastapi import APIRouter

import rung
from chatapp.api import schemas
from chatapp.api.description import problems_of
from chatapp.api.services import CurrentUser, Here
from chatapp.postgres import SchemaState
from chatapp.problems import Problem

router = APIRouter(tags=["schema"])

_LOGGER = logging.getLogger("chatapp")


@router.get("/schema", response_model=schemas.SchemaState, responses=problems_of(401))
async def get_schema(here: Here, user: CurrentUser) -> SchemaState:
    """Show the version of the schema, and the attempts to change it, newest first."""
    del user
    try:
        return await here.schema.read()
    except rung.RungError as error:
        _LOGGER.warning("The schema's state could not be read: %s", type(error).__name__)
        detail = "The schema's state cannot be read at the moment."
        raise Problem(503, "schema-unreadable", "Unavailable", detail, retry_after=5) from None
