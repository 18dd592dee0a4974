"""Scratch for SQLite: files in a folder of the moment."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from rung.drivers.contract import Driver, Session


@dataclass(frozen=True, slots=True)
class Files:
    """See `rung.scratch.model.Scratch`."""

    driver: Driver
    folder: Path
    where: str = "a file of its own"
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new(self) -> str:
        """Make none yet: SQLite makes a file when something is written."""
        return f"scratch_{next(self._numbers)}.db"

    def copy(self, name: str) -> str:
        """Copy the file."""
        made = self.new()
        if (self.folder / name).exists():
            shutil.copyfile(self.folder / name, self.folder / made)
        return made

    def open(self, name: str) -> AbstractContextManager[Session]:
        """Open one for a block."""
        return self.driver.beside(str(self.folder), name).connect(CancelToken())


@contextmanager
def files(driver: Driver) -> Iterator[Files]:
    """
    Scratch files for a block.

    Args:
        driver: of the database that they are to be like.
    """
    with TemporaryDirectory(prefix="rung-scratch-") as folder:
        yield Files(driver, Path(folder))
