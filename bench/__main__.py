"""
`python -m bench`, from the root of the checkout: counts, ratios, targets.

It prints and compares. A missed target is not a failure, because seconds depend on the machine; a
failing contender is one.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from bench import folders
from bench.contenders import RUNG, contenders, rung_command
from bench.figures import Bills, Table, count_targets, start_targets, time_targets
from bench.lightness import imports, looks
from bench.measure import Load, counted, run, timed
from bench.report import Report, as_json, as_text
from bench.servers import Server, kept, throw_away

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.contenders import Contender
    from bench.figures import Target
    from bench.lightness import Imported, Look

_MORE_LOOKS = 3
"""Looks for each round of the rest: they are short, and their difference is small."""


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the report."""
    options = _parser().parse_args(arguments)
    with ExitStack() as stack:
        workplace = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
        servers = _servers(options, stack)
        report = _measure(servers, _loads(workplace, options.migrations), options, workplace)
    print(as_json(report) if options.json else as_text(report))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each (default 5)")
    parser.add_argument("--migrations", type=int, default=1000, help="small ones (default 1000)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--host", help="a server to be used instead of starting two")
    parser.add_argument("--port", type=int, default=5432, help="its port (default 5432)")
    parser.add_argument("--user", default="postgres", help="its superuser (default postgres)")
    return parser


def _servers(options: argparse.Namespace, stack: ExitStack) -> list[Server]:
    if options.host is not None:
        return [Server("given server", options.host, options.port, options.user)]
    _say("starting two servers")
    return [stack.enter_context(throw_away()), stack.enter_context(kept())]


def _loads(workplace: Path, count: int) -> list[Load]:
    small = folders.small_migrations(workplace / "small", count)
    chat = len(folders.ups(folders.CHAT))
    loads = [Load(f"{count:,} migrations", small, count)]
    return [*loads, Load(f"the chat service's {chat}", folders.CHAT, chat)] if chat else loads


def _measure(
    servers: Sequence[Server], loads: Sequence[Load], options: argparse.Namespace, workplace: Path
) -> Report:
    field = contenders(workplace)
    _say("counting")
    bills = [Bills(load, tuple(counted(servers[0], load, field))) for load in loads]
    tables = [
        Table(server.name, load, tuple(timed(server, load, field, options.rounds, _say)))
        for server in servers
        for load in loads
    ]
    imported, look = _starting(servers[0], loads[-1], options.rounds * _MORE_LOOKS, workplace)
    large = [table for table in tables if table.load == loads[0]]
    targets = [*count_targets(bills), *time_targets(large), *_start_targets(imported, look)]
    return Report(_facts(servers, field), bills, tables, imported, look, targets)


def _starting(
    server: Server, load: Load, rounds: int, workplace: Path
) -> tuple[list[Imported], Look | None]:
    command = rung_command()
    if command is None:
        _say("Rung has no command yet: only the others are measured")
        return [], None
    _say("starting Rung")
    created = workplace / "created"
    created.mkdir()
    with server.fresh_database("bench") as address:
        run([*command, "up", "--source", str(load.folder), "--database", address.url])
        return imports(created), looks(command, address, rounds)


def _start_targets(imported: Sequence[Imported], look: Look | None) -> list[Target]:
    return [] if look is None else start_targets(imported, look)


def _facts(servers: Sequence[Server], field: Sequence[Contender]) -> dict[str, str]:
    return {
        "Python": f"{platform.python_version()}, psycopg {psycopg.__version__} "
        f"({psycopg.pq.__impl__})",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}",
        **{server.name: _server_facts(server) for server in servers},
        **{contender.name: contender.detail for contender in field},
        **({} if any(c.name == RUNG for c in field) else {RUNG: "not found"}),
    }


def _server_facts(server: Server) -> str:
    names = ("server_version", "fsync", "synchronous_commit", "autovacuum")
    version, *rest = (server.ask(f"SHOW {name}")[0] for name in names)
    settings = [f"{name} {value}" for name, value in zip(names[1:], rest, strict=True)]
    return ", ".join([f"PostgreSQL {version}", *settings, *filter(None, [server.detail])])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
