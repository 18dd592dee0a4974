"""
`python -m tests.conformance record`: asks golang-migrate anew, and writes what it did.

`python -m tests.conformance report`: runs ours, holds it against that, and prints the figures.
"""

from __future__ import annotations

import argparse
import sys

from tests.conformance.recorder import record
from tests.conformance.report import report
from tests.conformance.scenario import SCHEMES


def main() -> int:
    """Do what the words say; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("command", choices=("record", "report"))
    parser.add_argument("schemes", nargs="*", default=SCHEMES, help="all, where none is named")
    given = parser.parse_args()
    act = record if given.command == "record" else report
    return act(tuple(given.schemes))


if __name__ == "__main__":
    sys.exit(main())
