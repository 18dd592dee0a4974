"""A stage for each error, on the worker's server or on a machine that a test may spoil."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from psycopg import conninfo
from tests.integration.connections.machine import machine, made
from tests.integration.errors.stage import Stage
from tests.poolers import pooler

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.connections.machine import Machine
    from tests.servers import Database

__all__ = ["machine", "made", "pooler"]


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Stage:
    """Give an empty database and a folder of three good migrations."""
    host = str(conninfo.conninfo_to_dict(database.conninfo)["host"])
    names = {database.name: "chatapp", host: "/run/postgresql"}
    # What repair tries on scratch it tries on this server: to start another costs seconds.
    scratch = {"RUNG_SCRATCH": database.url}
    return _made(Stage(database.url, database.conninfo, tmp_path, scratch), names)


@pytest.fixture
def own(machine: Machine, tmp_path: Path) -> Stage:
    """Give a stage on a machine that is not started yet; its database is `postgres`."""
    url = f"postgresql://postgres@/postgres?host={machine.folder}&port=54329"
    return _made(Stage(url, machine.conninfo, tmp_path), {str(machine.folder): "/run/postgresql"})


def _made(stage: Stage, names: dict[str, str]) -> Stage:
    stage.names = names | {str(stage.folder): "/srv/chat", os.uname().nodename: "build-42"}
    stage.make()
    return stage
