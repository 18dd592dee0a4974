"""Serve the application: `python -m chatapp`, with settings from the environment."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import NoReturn

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from chatapp import postgres
from chatapp.logs import configuration
from chatapp.settings import Settings, SettingsError, read_settings
from rung import RungError

_UNUSABLE = 2
"""The exit code for an unusable setting."""


def main() -> None:
    """Serve until a signal; before that, print a line for each unusable setting and exit."""
    try:
        settings = read_settings()
        postgres.migrations(settings)
    except SettingsError as error:
        _refuse(*str(error).splitlines())
    except RungError as error:
        _refuse(f"CHAT_DATABASE_URL: {' '.join(f'{error}; {error.hint}'.split())}")
    config = _config(settings, settings.port)
    sockets = [bind(config)]
    if isinstance(settings.metrics, int):
        sockets.append(bind(_config(settings, settings.metrics)))
    if settings.workers > 1:
        Multiprocess(config, sockets=sockets).run()
        return
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=sockets)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def bind(config: uvicorn.Config) -> socket.socket:
    """
    Bind the socket of a configuration, with TCP_NODELAY, which accepted connections inherit.

    asyncio sets it only for sockets that name TCP as their protocol, and uvicorn's do not. An
    answer is sent in two parts, head and body: without TCP_NODELAY the body waits 40 ms for the
    client's delayed ACK of the head.

    Returns:
        The socket, not listening yet.
    """
    bound = config.bind_socket()
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _config(settings: Settings, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        "chatapp.app:create_app",
        factory=True,
        host=settings.host,
        port=port,
        workers=settings.workers,
        log_config=configuration(settings.log_level),
        access_log=False,
        server_header=False,
        # A worker that starts slowly on a busy machine must not be killed.
        timeout_worker_healthcheck=60,
        timeout_graceful_shutdown=settings.shutdown_s,
    )


def _refuse(*lines: str) -> NoReturn:
    """Print errors, whose text may hold characters that a terminal would obey, and exit."""
    for line in lines:
        shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)
        sys.stderr.write(f"error: {shown}\n")
    sys.exit(_UNUSABLE)


if __name__ == "__main__":
    main()
