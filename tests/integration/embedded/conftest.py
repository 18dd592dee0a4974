"""Places and processes for the tests of the embedded server."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.embedded.users import User, await_stopped, begin

from rung.embedded import find
from rung.embedded.supervisor import SUPERVISOR
from rung.errors import BinariesNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session", autouse=True)
def _binaries() -> None:
    """Skip all of these where there is nothing to start."""
    try:
        find()
    except BinariesNotFound as error:
        if os.environ.get("RUNG_TEST_REQUIRE_SERVER") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture
def place() -> Iterator[Path]:
    """Make a folder that every account can enter, which a test's own is not as root."""
    folder = Path("/tmp") / f"rung-test-{os.getpid()}-{time.monotonic_ns():x}"
    folder.mkdir(mode=0o700)
    folder.chmod(0o755)
    yield folder
    for lock in folder.rglob(SUPERVISOR):
        await_stopped(lock.parent)
    shutil.rmtree(folder)


@pytest.fixture
def use(place: Path) -> Iterator[Callable[..., User]]:
    """Give a function that starts a user of a server, and end all of them at last."""
    started: list[User] = []

    def take(*arguments: object, **options: Any) -> User:  # noqa: ANN401
        started.append(begin(*arguments, **options))
        return started[-1]

    yield take
    for user in started:
        if user.process.poll() is None:
            user.kill()
        user.process.communicate()
