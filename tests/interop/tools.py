"""
The four that share a database: golang-migrate's command, golang-migrate embedded in a Go
program, `migrate` of ours, and `rung`. All take golang-migrate's words; each is a process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import rung

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

_PATIENT = 120.0
_SOURCES = str(Path(rung.__file__).parents[1])
"""The same code as in this process, wherever it was found."""


class Ended(NamedTuple):
    """Exit code, and what was said on stderr."""

    code: int
    said: str


@dataclass(frozen=True, slots=True)
class Run:
    """A process under way; what it says goes into a file, so that it never waits for a reader."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.output.read_text(encoding="utf-8")

    def end(self, seconds: float = _PATIENT) -> Ended:
        """Wait for its end."""
        return Ended(self.process.wait(seconds), self.said.strip())

    def stop(self) -> None:
        """End it, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@dataclass(frozen=True, slots=True)
class Tool:
    """
    One of the four, with a site to work on.

    Args:
        name: `real`, `embedded`, `ours` or `rung`.
        program: what is started.
        site: its database and folder.
        runs: every process that was started, to be stopped at the end.
        url: the database's URL; where it is empty, the site's with `query`.
        query: more of the URL's query.
        scheme: the URL's.
        options: what stands before the command.
        environment: more of it.
    """

    name: str
    program: tuple[str, ...]
    site: Site
    runs: list[Run]
    url: str = ""
    query: str = ""
    scheme: str = "postgres"
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def having(self, **changes: object) -> Tool:
        """The same with other arguments."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def command(self, *words: str) -> list[str]:
        """The command line for golang-migrate's words."""
        if self.name == "rung":
            ends = ("--source", str(self.site.folder), "--database", self._url)
            return [*self.program, *_words_of_rung(words), *ends, "--yes"]
        where = ("-path", str(self.site.folder), "-database", self._url)
        return [*self.program, *where, *self.options, *words]

    def begin(self, *words: str) -> Run:
        """Start it."""
        handle, output = mkstemp(dir=self.site.folder.parent, suffix=".said")
        process = subprocess.Popen(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            env={**os.environ, "PYTHONPATH": _SOURCES, **self.environment},
        )
        os.close(handle)
        run = Run(process, Path(output))
        self.runs.append(run)
        return run

    def run(self, *words: str) -> Ended:
        """Run it to its end."""
        return self.begin(*words).end()

    @property
    def _url(self) -> str:
        if self.url:
            return self.url
        plain = self.site.database.url.removeprefix("postgresql")
        return f"{self.scheme}{plain}&sslmode=disable&{self.query}".rstrip("&")


def tool(name: str, site: Site, runs: list[Run], binary: Path | None = None) -> Tool:
    """
    One of the four.

    Args:
        name: `real`, `embedded`, `ours` or `rung`.
        site: its database and folder.
        runs: gets every process that it starts.
        binary: the program of `real` and `embedded`.
    """
    modules = {"ours": "rung.golang_migrate", "rung": "rung"}
    if name in modules:
        return Tool(name, (sys.executable, "-m", modules[name]), site, runs)
    # The command's own limit is 15 seconds, and counts from when it has opened the database.
    options = ("-lock-timeout", "600") if name == "real" else ()
    return Tool(name, (str(binary),), site, runs, options=options)


def named(site: Site, path: str, query: str = "") -> str:
    """A URL on the site's server with such a path, which may name no database."""
    socket = quote(str(site.database.server.socket_dir), safe="")
    port = site.database.server.port
    rest = f"host={socket}&port={port}&sslmode=disable&{query}".rstrip("&")
    return f"postgres://postgres@{path}?{rest}"


def _words_of_rung(words: tuple[str, ...]) -> tuple[str, ...]:
    match words:
        case ("down", "-all"):
            return ("down", "--all")
        case ("drop", "-f"):
            return ("drop",)
        case _:
            return words
