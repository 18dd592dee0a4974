"""`python -m rung` is the command `rung`."""

from __future__ import annotations

from rung.cli.main import run

if __name__ == "__main__":
    run()
