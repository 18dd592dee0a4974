"""Deployments of the chat service under load: no request fails, and each migration runs once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from bench.rolling.acts import acts
from bench.rolling.builds import NEWEST, first_build
from bench.rolling.story import Scene, play, well

from rung.embedded import start

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 3.0
_REPLICAS = 2
_RATE = 8.0
_LIMIT = 0.2
_MARGIN = 0.1


async def _played(folder: Path) -> list[Scene]:
    with start() as server:
        return [scene async for scene in play(server, folder, acts(_SECONDS), _REPLICAS, _RATE)]


@pytest.mark.slow
def test_deployments_under_load(tmp_path: Path) -> None:
    """
    Six migrations, one that fails and one whose replica is killed among them, each rolled back.

    How long a request waits for a table's lock is the server's own word; how long the machine
    kept even the watcher waiting is added.
    """
    story = acts(_SECONDS)
    scenes = dict(zip((act.name for act in story), asyncio.run(_played(tmp_path)), strict=True))

    assert [scene.faults for scene in scenes.values()] == [()] * len(story)
    assert all(well(scenes[act.name], act) for act in story), scenes
    assert scenes["failing"].said.startswith("failed: ")
    assert scenes["slow"].seconds > _SECONDS
    blocked = scenes["blocked"]
    assert blocked.seconds > _SECONDS
    assert blocked.waited < _LIMIT + _MARGIN + blocked.gap


def test_a_build_has_one_migration_more(tmp_path: Path) -> None:
    """The next build is the same program with the file of its migration."""
    first = first_build(tmp_path)
    second = first.next("pinned", "SELECT 8;")
    added = f"{NEWEST + 1:06}_pinned.up.sql"

    assert (first.newest, second.newest) == (NEWEST, NEWEST + 1)
    assert (second.folder / f"chatapp/migrations/{added}").read_text() == "SELECT 8;\n"
    assert not (first.folder / f"chatapp/migrations/{added}").exists()
    assert (second.folder / "chatapp/app.py").is_file()
