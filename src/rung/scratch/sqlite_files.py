"""Scratch databases for SQLite: files in a temporary folder."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rung.cancellation import CancelToken
from rung.scratch.limit import watched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from rung.drivers.contract import Driver, Session
    from rung.scratch.limit import BlockLimit


@dataclass(frozen=True, slots=True)
class ScratchFiles:
    """See `rung.scratch.model.Scratch`."""

    driver: Driver
    folder: Path
    where: str = "a file of its own"
    rights: str = ""
    absent_extensions: tuple[str, ...] = ()
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
    def limited(
        self, name: str, seconds: float, megabytes: int, cancel: CancelToken
    ) -> Iterator[BlockLimit]:
        """Cancel what runs; SQLite runs in this process, where nobody can end it from outside."""

        def uses(most: int) -> bool:
            """Count what belongs to the database: its journal too."""
            files = self.folder.glob(f"{name}*")
            return sum(path.stat().st_size for path in files) > most * 1024 * 1024

        def end() -> None:
            cancel.set()
            cancel.set()

        with watched(seconds, megabytes, uses, end) as limit:
            yield limit

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
