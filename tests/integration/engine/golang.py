"""The real golang-migrate, run on a site's database and folder."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.engine.sites import Site


@dataclass(frozen=True, slots=True)
class Golang:
    """golang-migrate's command line; all it says is on stderr."""

    binary: Path
    site: Site
    query: str = ""
    """More of the URL's query."""

    @property
    def url(self) -> str:
        """The database as golang-migrate wants it."""
        return f"{self.site.database.url}&sslmode=disable&{self.query}".rstrip("&")

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        where = ["-path", str(self.site.folder), "-database", self.url]
        return [str(self.binary), *where, *arguments]

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run to the end; exit code and what was said."""
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, done.stderr.strip()

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start, and leave it running; its stderr is a pipe."""
        return subprocess.Popen(self.command(*arguments), stderr=subprocess.PIPE, text=True)
