"""Serves the application: `python -m chatapp`, settings from the environment."""

from __future__ import annotations

import uvicorn

from chatapp.logs import configuration
from chatapp.settings import Settings


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    uvicorn.run(
        "chatapp.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=configuration(settings.log_level),
        access_log=False,
        server_header=False,
        # A worker that is slow to start, on a busy machine, is not to be killed for it.
        timeout_worker_healthcheck=60,
        timeout_graceful_shutdown=settings.shutdown_s,
    )


if __name__ == "__main__":
    main()
