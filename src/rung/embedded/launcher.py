"""
Start one server through a supervisor: its command line, its folders, and its answer.

`ephemeral` and `persistent` decide what kind of server it is.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rung.embedded import supervisor
from rung.embedded.pg_tools import chown_to, not_started
from rung.embedded.server import PORT, EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rung.embedded.pg_tools import Programs
    from rung.embedded.server import UsageLock

_SOCKET_ONLY = {"listen_addresses": "", "port": str(PORT)}


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """The arguments of `start`."""

    environ: Mapping[str, str]
    say: Callable[[str], None]
    major: int | None
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The folders of one server, and the folder that is removed at its end."""

    home: Path
    data: Path
    socket_dir: Path
    remove: Path
    stop: signal.Signals


def run(
    directory: DataDirectory,
    programs: Programs,
    version: str,
    settings: Mapping[str, str],
    use: UsageLock,
    prepare: Callable[[], None],
) -> EmbeddedServer:
    """Make a supervisor start the server, and prepare its data while the supervisor starts."""
    directory.socket_dir.mkdir(mode=0o700)
    chown_to(directory.socket_dir, programs.identity)
    try:
        command = _command(directory, programs, version, settings)
        log = directory.home / supervisor.LOG  # only the server's account can read it
        log.unlink(missing_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        chown_to(log, programs.identity)
        answer = _ask_supervisor(command, descriptor, prepare)
    except BaseException:
        use.end()
        raise
    if answer[:1] != ["ready"]:
        use.end()
        reason = answer[1] if len(answer) > 1 else "its supervisor ended without a message"
        raise not_started(reason, answer[2:])
    return EmbeddedServer(
        home=directory.home,
        data_dir=directory.data,
        socket_dir=directory.socket_dir,
        port=PORT,
        version=version,
        is_persistent=directory.stop is signal.SIGINT,
        pid=int(answer[1]),
        supervisor_pid=int(answer[2]),
        _use=use,
    )


def _command(
    directory: DataDirectory, programs: Programs, version: str, settings: Mapping[str, str]
) -> list[str]:
    facts = {
        "home": str(directory.home),
        "data": str(directory.data),
        "socket": str(directory.socket_dir),
        "remove": str(directory.remove),
        "stop": str(int(directory.stop)),
        "version": version,
    }
    own = _SOCKET_ONLY | {"unix_socket_directories": f'"{directory.socket_dir}"'}
    command = [*programs.supervisor_command("keep", facts), str(programs.bin_dir / "postgres")]
    command += ["-D", str(directory.data)]
    for name, value in {**settings, **own}.items():
        command += ["-c", f"{name}={value}"]
    return command


def _ask_supervisor(command: list[str], log: int, prepare: Callable[[], None]) -> list[str]:
    """Start a supervisor, let it start the server once the data exist, and read its answer."""
    from subprocess import PIPE, Popen

    with (
        os.fdopen(log, "wb") as errors,
        Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors, cwd="/") as process,  # noqa: S603
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        prepare()
        with suppress(BrokenPipeError):  # the supervisor ended, so its answer is empty
            process.stdin.write(b"go\n")
            process.stdin.close()
        return process.stdout.read().decode(errors="replace").splitlines()
