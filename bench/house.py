"""
What the code of Rung is made of, and what one command enters: `make house`.

Functions are counted in a process that has run the same commands once on another database, so
that imports and caches are warm. Modules, class bodies and comprehensions are left out. The
numbers of `house.json` are those before the redesign of November 2026; a change is printed
beside each number. Nothing here has a bound: a number describes, and no code is contorted for it.
"""

from __future__ import annotations

import argparse
import ast
import configparser
import io
import json
import re
import statistics
import subprocess
import sys
import tempfile
import tokenize
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.servers import throw_away

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.servers import Address

_TOP = Path(__file__).parents[1]
_PACKAGE = _TOP / "src" / "rung"
_BASELINE = Path(__file__).with_name("house.json")
_SHORT = 5
"""Lines of a private function that is a candidate for being read where it is used."""
_STARTS = 7
_MIGRATION = {
    "1_users.up.sql": "CREATE TABLE users (id int);\n",
    "1_users.down.sql": "DROP TABLE users;\n",
}
_ROUNDS = {
    "up, one file": ["up"],
    "up, nothing to do": ["up"],
    "down, one file": ["down", "1", "--yes"],
}
_ENTERED = """
import contextlib, io, json, sys
from rung.cli.main import main

rounds, folder, *databases = json.loads(sys.argv[1])
inside = sys.argv[2]
calls = []

def profile(frame, event, _):
    code = frame.f_code
    if event == "call" and code.co_filename.startswith(inside) and code.co_flags & 2:
        if code.co_name not in ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"):
            calls.append((code.co_filename, code.co_firstlineno, code.co_name))

result = {}
for database in databases:
    for name, words in rounds.items():
        calls.clear()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            sys.setprofile(profile)
            code = main([*words, "--source", folder, "--database", database])
            sys.setprofile(None)
        files = [call[0] for call in calls]
        result[name] = {
            "functions": len(set(calls)),
            "files": len(set(files)),
            "changes of file": sum(a != b for a, b in zip(files, files[1:])),
            "exit code": int(code),
        }
print(json.dumps(result))
"""


@dataclass(frozen=True, slots=True)
class House:
    """
    The measures by name, and the private functions that a reviewer looks at.

    Args:
        short: where each private function stands that is short and used once.
    """

    measures: dict[str, float]
    short: tuple[str, ...] = field(default=())


def main(arguments: Sequence[str]) -> None:
    """Measure, and print each number with its change since the baseline."""
    options = _parser().parse_args(arguments)
    house = House({**_code(), **_entered()}, tuple(_short_functions()))
    if options.save:
        _BASELINE.write_text(json.dumps(house.measures, indent=2) + "\n")
    if options.json:
        print(json.dumps({"measures": house.measures, "short functions used once": house.short}))
        return
    print(_text(house, json.loads(_BASELINE.read_text()), everything=options.all))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.house", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--all", action="store_true", help="list every short private function")
    parser.add_argument("--save", action="store_true", help="make these numbers the baseline")
    return parser


def _text(house: House, baseline: dict[str, float], *, everything: bool) -> str:
    lines = [f"Python {sys.version.split()[0]}", ""]
    for name, value in house.measures.items():
        before = baseline.get(name)
        change = "" if before is None else f"{before:>10g} before  {value - before:+g}"
        lines.append(f"{name:<42}{value:>8g}{change}")
    listed = house.short if everything else house.short[:12]
    lines += ["", "Private functions of up to 5 lines, used once:"]
    lines += [f"  {where}" for where in listed]
    if more := len(house.short) - len(listed):
        lines.append(f"  and {more} more (--all lists them)")
    return "\n".join(lines)


# --- what the code is made of ----------------------------------------------------------------


def _code() -> dict[str, float]:
    files = sorted(_PACKAGE.rglob("*.py"))
    texts = [file.read_text() for file in files]
    imports = sum(_import_lines(ast.parse(text)) for text in texts)
    return {
        "modules": len(files),
        "code lines, without docstrings and comments": sum(map(_code_lines, texts)),
        "import and __all__ lines": imports,
        "layers of the import contract": _layers(),
        "private functions, short and used once": sum(1 for _ in _short_functions()),
    }


def _code_lines(text: str) -> int:
    docstrings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        if isinstance(node.value.value, str)
    }
    lines = set[int]()
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (*silent, tokenize.ENDMARKER):
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def _import_lines(tree: ast.Module) -> int:
    def lines(node: ast.stmt) -> int:
        return (node.end_lineno or node.lineno) - node.lineno + 1

    def is_export(node: ast.AST) -> bool:
        return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"

    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    return sum(
        lines(node)
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom) or is_export(node)
    )


def _layers() -> int:
    contract = configparser.ConfigParser()
    contract.read(_TOP / ".importlinter")
    return len(contract["importlinter:contract:direction"]["layers"].split("\n")) - 1


def _short_functions() -> Iterator[str]:
    trees = {file: ast.parse(file.read_text()) for file in sorted(_PACKAGE.rglob("*.py"))}
    nodes = [(file, node) for file, tree in trees.items() for node in ast.walk(tree)]
    used = Counter(node.id for _, node in nodes if isinstance(node, ast.Name))
    used.update(node.attr for _, node in nodes if isinstance(node, ast.Attribute))
    for file, node in nodes:
        if isinstance(node, ast.FunctionDef) and used[node.name] == 1 and _is_short(node):
            yield f"{file.relative_to(_TOP)}:{node.lineno} {node.name}"


def _is_short(node: ast.FunctionDef) -> bool:
    body = node.body[bool(ast.get_docstring(node)) :]
    is_private = re.match("_[^_]", node.name) is not None and not node.decorator_list
    return is_private and bool(body) and (body[-1].end_lineno or 0) - body[0].lineno < _SHORT


# --- what one command enters -----------------------------------------------------------------


def _entered() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, throw_away() as server:
        for name, text in _MIGRATION.items():
            (Path(folder) / name).write_text(text)
        with server.fresh_database("warm") as warm, server.fresh_database("measured") as measured:
            rounds = _rounds(folder, [warm, measured])
            up = f"main(['up', '--quiet', '--source', {folder!r}, '--database', {warm.url!r}])"
            code = f"from rung.cli.main import main; {up}"
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
            starts = {**_start("import rung", "import rung"), **_start("a process of up", code)}
    return {
        **{
            f"{name}: {what}": found[what]
            for name, found in rounds.items()
            for what in ("functions", "files", "changes of file")
        },
        **starts,
    }


def _rounds(folder: str, databases: Sequence[Address]) -> dict[str, dict[str, float]]:
    asked = json.dumps([_ROUNDS, folder, *(database.url for database in databases)])
    command = [sys.executable, "-c", _ENTERED, asked, str(_PACKAGE)]
    rounds: dict[str, dict[str, float]] = json.loads(subprocess.check_output(command, text=True))
    assert all(found["exit code"] == 0 for found in rounds.values()), rounds
    return rounds


def _start(name: str, code: str) -> dict[str, float]:
    """Measure modules and median milliseconds, beyond those of an empty Python."""
    program = "import sys, time; n, b = len(sys.modules), time.perf_counter(); {}; print({})"
    took = program.format(code, "1000 * (time.perf_counter() - b)")
    loaded = program.format(code, "len(sys.modules) - n")
    return {
        f"{name}: modules imported": _printed(loaded),
        f"{name}: ms": round(statistics.median(_printed(took) for _ in range(_STARTS)), 1),
    }


def _printed(code: str) -> float:
    return float(subprocess.check_output([sys.executable, "-c", code], text=True))


if __name__ == "__main__":
    main(sys.argv[1:])
