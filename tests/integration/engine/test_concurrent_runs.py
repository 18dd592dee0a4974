"""Twenty replicas of the chat service start at the same moment, as after a deployment."""

from __future__ import annotations

from shutil import copytree
from typing import TYPE_CHECKING

import pytest
from tests.integration import chat
from tests.integration.engine.children import begin_up

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_TWENTY = 20
_ALL = range(1, chat.NEWEST + 1)


def _start_twenty(site: Site) -> list[str]:
    """What each of them applied, sorted; all have to end well, with nothing said."""
    runs = [begin_up(site) for _ in range(_TWENTY)]
    told = [run.communicate(timeout=120) for run in runs]

    assert [(run.returncode, error) for run, (_, error) in zip(runs, told, strict=True)] == (
        [(0, "")] * _TWENTY
    )
    return sorted(out.strip() for out, _ in told)


@pytest.mark.slow
def test_twenty_processes_on_an_empty_database(site: Site) -> None:
    """One applies all migrations, each once; the others find nothing left to do."""
    copytree(chat.FOLDER, site.folder, dirs_exist_ok=True)

    assert _start_twenty(site) == [""] * (_TWENTY - 1) + [" ".join(map(str, _ALL))]
    assert site.history() == [(version, "up", "done") for version in _ALL]
    assert site.ledger() == [(chat.NEWEST, False)]


@pytest.mark.slow
def test_twenty_processes_on_one_that_is_up_to_date(site: Site) -> None:
    """None applies, writes or locks anything."""
    copytree(chat.FOLDER, site.folder, dirs_exist_ok=True)
    site.up()
    before = site.ask("SELECT xmin, ctid, * FROM schema_migrations")

    assert _start_twenty(site) == [""] * _TWENTY
    assert site.ask("SELECT xmin, ctid, * FROM schema_migrations") == before
    assert len(site.history()) == len(_ALL)
