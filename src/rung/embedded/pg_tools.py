"""
Run PostgreSQL's programs as the chosen account: initdb, and the supervisor with its server.

This is the only module that knows the supervisor's command line.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rung.embedded import wheels
from rung.embedded.directories import cache_folder, is_readable
from rung.errors import EmbeddedError, ServerNotStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rung.embedded.binaries import Binaries
    from rung.embedded.run_as import Identity

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
# Loaded from its file, so that the supervisor starts without importing the rest of Rung, and as a
# module, so that its compiled form is used.
_RUN_SUPERVISOR = (
    "import sys; from importlib import util; "
    "spec = util.spec_from_file_location('rung.embedded.supervisor', sys.argv[1]); "
    "supervisor = util.module_from_spec(spec); spec.loader.exec_module(supervisor); "
    "sys.exit(supervisor.main(sys.argv[2:]))"
)
_INITDB_SECONDS = 180
_OLDEST_WITH_OWN_LOCALES = 17

INITDB_SETTINGS = (
    "--username=postgres",
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--no-instructions",
)


@dataclass(frozen=True, slots=True)
class Programs:
    """The paths of the server's programs for the account that runs them."""

    bin_dir: Path
    library_dir: Path | None
    identity: Identity

    def supervisor_command(self, verb: str, facts: Mapping[str, str]) -> list[str]:
        """Return the command line of a supervisor; the program's own arguments are appended."""
        if not sys.executable:
            raise EmbeddedError(
                "the embedded server needs a Python interpreter for its supervisor",
                ["sys.executable is empty."],
                "name a server instead: --database postgresql://…",
            )
        common = {"identity": self.identity.argument, "library": str(self.library_dir or "")}
        pairs = [f"{key}={value}" for key, value in {**common, **facts}.items()]
        return [sys.executable, "-I", "-c", _RUN_SUPERVISOR, str(_SUPERVISOR), verb, *pairs, "--"]


def readable_programs(
    binaries: Binaries,
    identity: Identity,
    environ: Mapping[str, str],
    say: Callable[[str], None],
) -> Programs:
    """
    Return the binaries where they are, or a copy that the account can read.

    Raises:
        EmbeddedError: there is no folder for the copy.
    """
    reader = identity.reader
    parts = [binaries.bin_dir / "postgres", binaries.bin_dir / "initdb"]
    if binaries.library_dir:
        parts += [binaries.library_dir, binaries.installation / "share"]
    if all(is_readable(part, reader) for part in parts):
        return Programs(binaries.bin_dir, binaries.library_dir, identity)
    cache = cache_folder(reader, environ)
    copied = wheels.copy(binaries.installation, _file_name(binaries.build), cache, say)
    library = copied / "lib" if binaries.library_dir else None
    return Programs(copied / binaries.bin_dir.name, library, identity)


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in text)


def template_name(binaries: Binaries, identity: Identity) -> str:
    """Return the name of the cached data folder for this build and account."""
    return f"data-{_file_name(binaries.build)}-{identity.kind}-{identity.reader.uid}"


def initdb(programs: Programs, data: Path, major: int, extra: Sequence[str]) -> None:
    """
    Create a data folder: UTF-8, sorted by code point, with Unicode's letter classes.

    Args:
        programs: initdb and its account.
        data: an empty folder that the account owns.
        major: decides the locale; from 17 the server has a builtin one.
        extra: more options for initdb.

    Raises:
        ServerNotStarted: initdb failed; has its output.
    """
    if major >= _OLDEST_WITH_OWN_LOCALES:
        own = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        _run_initdb(programs, data, (*own, *extra))
        return
    try:
        _run_initdb(programs, data, ("--locale=C", "--lc-ctype=C.UTF-8", *extra))
    except ServerNotStarted as error:
        if "locale" not in error.detail:
            raise
        _run_initdb(programs, data, ("--locale=C", *extra))


def _run_initdb(programs: Programs, data: Path, extra: Sequence[str]) -> None:
    from subprocess import DEVNULL, PIPE, STDOUT, SubprocessError, run

    program = programs.bin_dir / "initdb"
    command = [*programs.supervisor_command("run", {}), str(program), f"--pgdata={data}"]
    try:
        done = run(  # noqa: S603
            [*command, *INITDB_SETTINGS, *extra],
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            cwd="/",
            timeout=_INITDB_SECONDS,
            check=False,
        )
    except (OSError, SubprocessError) as error:
        raise ServerNotStarted("could not run initdb", [str(error)], _ADVICE) from error
    if done.returncode:
        lines = done.stdout.decode(errors="replace").splitlines()
        raise ServerNotStarted(
            f"initdb ended with exit code {done.returncode}",
            [f"It was run as {programs.identity.name} from {programs.bin_dir}.", *lines[-20:]],
            _ADVICE,
        )


_ADVICE = "see the lines above; RUNG_PG_BIN=DIR names other binaries"


def not_started(reason: str, log: Sequence[str]) -> ServerNotStarted:
    """Return the error for a server that did not start, with its log."""
    return ServerNotStarted(f"PostgreSQL did not start: {reason}", log, _ADVICE)


def chown_to(folder: Path, identity: Identity) -> None:
    """Make the server's account the owner of a new folder."""
    if identity.kind == "account":
        os.chown(folder, identity.uid, identity.gid)
