"""
Run the chat service until its standard input ends, when its parent process has ended.

The kernel closes the other end however that process ends, so that killing it leaves no service
running. It is for the demo only.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from chatapp.__main__ import main

_PATIENCE_S = 5.0
"""How long the service is given to end, before it is ended."""


def _until_alone() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE_S)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_until_alone, daemon=True).start()
    main()
