"""The direction of imports: as a contract, and by importing each module alone."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.promises.files import ROOT, below

ALONE = """
import argparse, dataclasses, enum, os, psycopg, re, sys, traceback, typing
failed = 0
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            __import__(name)
        except BaseException:
            print(name, traceback.format_exc(), flush=True)
            os._exit(1)
        os._exit(0)
    failed += os.waitpid(child, 0)[1] != 0
sys.exit(failed)
"""
"""A process that has loaded what is not ours forks once for each module of ours."""


def modules() -> list[str]:
    """Every module of the package, by its dotted name; `__main__` runs when it is imported."""
    paths = [path.relative_to(ROOT / "src").with_suffix("") for path in below("src", "*.py")]
    names = (".".join(path.parts).removesuffix(".__init__") for path in paths)
    return [name for name in names if not name.endswith("__main__")]


def test_the_contract() -> None:
    """The import contract of `.importlinter` holds."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache"]
    ran = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env=_environment()
    )

    assert (ran.returncode, "0 broken" in ran.stdout) == (0, True), ran.stdout + ran.stderr


def test_each_module_alone() -> None:
    """Each module can be the first that is imported: none leans on another's having been."""
    names = modules()
    command = [sys.executable, "-c", ALONE, *names]
    ran = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env=_environment()
    )

    assert len(names) > 50
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


def test_one_gate_escapes() -> None:
    """Texts are escaped in `rung.render` only; a location does it to draw its caret."""
    users = [
        path.relative_to(ROOT / "src" / "rung").as_posix()
        for path in below("src", "*.py")
        if "rung.escaping" in path.read_text(encoding="utf-8")
    ]

    assert "render/terminal.py" in users
    assert [one for one in users if not one.startswith("render/")] == ["errors/location.py"]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}
