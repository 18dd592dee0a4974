"""
Start one server through a supervisor: its command line, its folders, and its answer.

What kind of server it is has been decided by then, in `throwaway` or `kept`.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.embedded import supervisor
from rung.embedded.pg_tools import give, not_started
from rung.embedded.server import PORT, EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rung.embedded.pg_tools import Programs
    from rung.embedded.server import Use

_SOCKET_ONLY = {"listen_addresses": "", "port": str(PORT)}


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """What a caller of `start` asked for."""

    environ: Mapping[str, str]
    say: Callable[[str], None]
    major: int | None
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The folders of one server, and what is removed at its end."""

    home: Path
    data: Path
    socket_dir: Path
    remove: Path
    stop: signal.Signals


def run(
    place: DataDirectory,
    programs: Programs,
    version: str,
    settings: Mapping[str, str],
    use: Use,
    prepare: Callable[[], None],
) -> EmbeddedServer:
    """Have a supervisor start the server, and prepare its data while the supervisor wakes up."""
    place.socket_dir.mkdir(mode=0o700)
    give(place.socket_dir, programs.identity)
    try:
        command = _command(place, programs, version, settings)
        answer = _ask_supervisor(command, _log(place, programs), prepare)
    except BaseException:
        use.end()
        raise
    if answer[:1] != ["ready"]:
        use.end()
        reason = answer[1] if len(answer) > 1 else "its supervisor ended without a word"
        raise not_started(reason, answer[2:])
    return EmbeddedServer(
        home=place.home,
        data_dir=place.data,
        socket_dir=place.socket_dir,
        port=PORT,
        version=version,
        kept=place.stop is signal.SIGINT,
        pid=int(answer[1]),
        supervisor_pid=int(answer[2]),
        _use=use,
    )


def _command(
    place: DataDirectory, programs: Programs, version: str, settings: Mapping[str, str]
) -> list[str]:
    facts = {
        "home": str(place.home),
        "data": str(place.data),
        "socket": str(place.socket_dir),
        "remove": str(place.remove),
        "stop": str(int(place.stop)),
        "version": version,
    }
    own = _SOCKET_ONLY | {"unix_socket_directories": f'"{place.socket_dir}"'}
    command = [*programs.supervisor_command("keep", facts), str(programs.bin_dir / "postgres")]
    command += ["-D", str(place.data)]
    for name, value in {**settings, **own}.items():
        command += ["-c", f"{name}={value}"]
    return command


def _log(place: DataDirectory, programs: Programs) -> int:
    """A new log, open, for nobody to read but the account that the server runs as."""
    log = place.home / supervisor.LOG
    log.unlink(missing_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    give(log, programs.identity)
    return descriptor


def _ask_supervisor(command: list[str], log: int, prepare: Callable[[], None]) -> list[str]:
    """Start a supervisor, tell it to go when the data are there, and read its answer."""
    from subprocess import PIPE, Popen

    with (
        os.fdopen(log, "wb") as errors,
        Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors, cwd="/") as process,  # noqa: S603
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        prepare()
        with suppress(BrokenPipeError):  # the supervisor ended; its silence tells
            process.stdin.write(b"go\n")
            process.stdin.close()
        return process.stdout.read().decode(errors="replace").splitlines()
