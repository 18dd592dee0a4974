"""Scratch databases for SQLite: files in a temporary folder."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.scratch.limit import BlockLimit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from rung.drivers.contract import Driver, Session


@dataclass(frozen=True, slots=True)
class ScratchFiles:
    """See `rung.scratch.model.Scratch`."""

    driver: Driver
    folder: Path
    where: str = "a file of its own"
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new(self) -> str:
        """Return a new name; SQLite creates the file at the first write."""
        return f"scratch_{next(self._numbers)}.db"

    def copy(self, name: str) -> str:
        """Copy a file, and return the name of the copy."""
        target = self.new()
        if (self.folder / name).exists():
            shutil.copyfile(self.folder / name, self.folder / target)
        return target

    def driver_of(self, name: str) -> Driver:
        """Return the driver for a file."""
        return self.driver.sibling(str(self.folder), name)

    @contextmanager
    def limited(self, name: str, seconds: float, megabytes: int) -> Iterator[BlockLimit]:
        """Report what was used; SQLite runs in this process, where nobody can end it."""
        limit, began = BlockLimit(), time.monotonic()
        yield limit
        path = self.folder / name
        if time.monotonic() - began > seconds:
            limit.reason = f"ran for longer than {seconds:g} s"
        elif path.exists() and path.stat().st_size > megabytes * 1024 * 1024:
            limit.reason = f"took more than {megabytes} MB of disk"

    def drop(self, name: str) -> None:
        """Remove a file."""
        (self.folder / name).unlink(missing_ok=True)

    def start_over(self) -> bool:
        """Remove every file."""
        for path in self.folder.iterdir():
            path.unlink()
        return True

    def open(self, name: str) -> AbstractContextManager[Session]:
        """Connect to one for a `with` block."""
        return self.driver_of(name).connect(CancelToken())


@contextmanager
def on_files(driver: Driver) -> Iterator[ScratchFiles]:
    """
    Yield scratch files in a temporary folder.

    Args:
        driver: of the target database.
    """
    with TemporaryDirectory(prefix="rung-scratch-") as folder:
        yield ScratchFiles(driver, Path(folder))
