"""The real golang-migrate, run on a site's file and folder."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.sqlite.sites import Site


@dataclass(frozen=True, slots=True)
class Golang:
    """golang-migrate's command line; all it says is on stderr."""

    binary: Path
    site: Site

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        url = f"sqlite3://{self.site.file}"
        return [str(self.binary), "-path", str(self.site.folder), "-database", url, *arguments]

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run to the end; exit code and what was said."""
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, done.stderr.strip()

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start, and leave it running; its stderr is a pipe."""
        return subprocess.Popen(self.command(*arguments), stderr=subprocess.PIPE, text=True)
