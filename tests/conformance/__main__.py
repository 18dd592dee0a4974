"""
`python -m tests.conformance record`: runs golang-migrate again, and writes its results;
`update` asks only for what is new or was changed.

`python -m tests.conformance report`: runs ours, holds it against that, and prints the figures.
"""

from __future__ import annotations

import argparse
import sys

from tests.conformance.recorder import record, update
from tests.conformance.report import report
from tests.conformance.scenario import SCHEMES

_COMMANDS = {"record": record, "update": update, "report": report}


def main() -> int:
    """Do what the words say; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("command", choices=tuple(_COMMANDS))
    parser.add_argument("schemes", nargs="*", default=SCHEMES, help="all, where none is named")
    given = parser.parse_args()
    return _COMMANDS[given.command](tuple(given.schemes))


if __name__ == "__main__":
    sys.exit(main())
