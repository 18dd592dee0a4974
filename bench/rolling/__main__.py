"""
`python -m bench.rolling`: measure deployments of the chat service under load.

Fails where a request failed, or a migration did not run exactly once. Seconds are printed and never
fail, because they depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.rolling.acts import acts
from bench.rolling.story import play, well
from rung.embedded import start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.rolling.story import Scene
    from rung.embedded import EmbeddedServer

_HEAD = (
    "| deployment | requests | failed | p50 | p99 | longest | over 1 s | longest lock wait "
    "| applied | ended after |"
)


def main(arguments: Sequence[str]) -> int:
    """Run all deployments, and print a line for each."""
    options = _parser().parse_args(arguments)
    with start() as server, TemporaryDirectory(prefix="rolling") as folder:
        return asyncio.run(_play(server, Path(folder), options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.rolling", description=__doc__)
    parser.add_argument("--replicas", type=int, default=4, help="how many serve (default 4)")
    parser.add_argument("--rate", type=float, default=40, help="requests in a second (default 40)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=20,
        help="how long a long migration takes, and a reader holds its lock (default 20)",
    )
    return parser


async def _play(server: EmbeddedServer, folder: Path, options: argparse.Namespace) -> int:
    print(f"{options.replicas} replicas, {options.rate:g} requests/s; milliseconds from when due")
    print(_HEAD)
    print("|" + "---|" * _HEAD.count(" | ") + "---|")
    story = acts(options.seconds)
    failures = 0
    async with aclosing(play(server, folder, story, options.replicas, options.rate)) as scenes:
        for act in story:
            scene = await anext(scenes)
            failures += not well(scene, act)
            print(_line(scene), flush=True)
            print(*scene.faults[:5], sep="\n", end="", file=sys.stderr)
    return min(failures, 1)


def _line(scene: Scene) -> str:
    requests, p50, p99, longest = scene.latencies
    ended = f"{scene.seconds:.0f} s" + ("" if scene.deployed else ", stopped")
    milliseconds = [f"{1000 * value:.0f}" for value in (p50, p99, longest)]
    cells = [scene.title, str(requests), str(len(scene.faults)), *milliseconds]
    cells += [str(scene.slow), f"{1000 * scene.waited:.0f}", str(scene.applied), ended]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
