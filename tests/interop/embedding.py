"""
Builds the Go program beside this file, which embeds golang-migrate as a library.

It is built where the oracle would be, with the oracle's version, once for each text of it.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.oracle import VARIABLE, VERSION, cache

_PROGRAM = Path(__file__).parent / "embedded" / "main.go"
_MODULE = "github.com/golang-migrate/migrate/v4"
_STEPS = (
    ("mod", "init", "embedded"),
    ("get", f"{_MODULE}/database/postgres@{VERSION}", f"{_MODULE}/source/file@{VERSION}"),
    ("build", "-o", "embedded"),
)


@functools.cache
def embedding() -> Path | None:
    """
    The program; None where there is none and Go is missing or cannot build it.

    Where the environment says to do without the oracle, there is none of this either.
    """
    if os.environ.get(VARIABLE) == "":
        return None
    digest = hashlib.sha256(_PROGRAM.read_bytes()).hexdigest()[:12]
    built = cache() / f"embedded-{digest}"
    if built.is_file() or shutil.which("go") is None:
        return built if built.is_file() else None
    try:
        return _build(built)
    except (subprocess.CalledProcessError, OSError) as error:
        reason = error.stderr.decode() if isinstance(error, subprocess.CalledProcessError) else ""
        sys.stderr.write(f"{_PROGRAM.name} could not be built: {error}\n{reason}\n")
        return None


def _build(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as workplace:
        shutil.copy(_PROGRAM, workplace)
        for step in _STEPS:
            subprocess.run(["go", *step], cwd=workplace, check=True, capture_output=True)
        # Moved whole, so that another process never finds half a binary.
        return (Path(workplace) / "embedded").replace(target)
