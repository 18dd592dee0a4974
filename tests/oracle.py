"""
Finds the real golang-migrate, or builds it where Go is at hand.

Tests and the bench ask here what golang-migrate does; nothing of it is in the package.
`python tests/oracle.py DIR` builds it into a folder and prints the path of the binary.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "v4.20.1"
"""The golang-migrate that Rung is compared with."""

VARIABLE = "RUNG_TEST_GOLANG_MIGRATE"
"""Names the binary to take; set and empty: do without."""

TAGS = ("postgres", "pgx5", "sqlite3", "cockroachdb", "yugabytedb")
"""The drivers that it is built with; sqlite3 needs a C compiler."""

_MODULE = f"github.com/golang-migrate/migrate/v4/cmd/migrate@{VERSION}"


@functools.cache
def golang_migrate() -> Path | None:
    """
    The binary: the one that the environment names, one on PATH, one built earlier, a new one.

    None where there is none and Go is missing or cannot build it; the reason is on stderr.

    Raises:
        FileNotFoundError: RUNG_TEST_GOLANG_MIGRATE names no file.
    """
    if (named := os.environ.get(VARIABLE)) is not None:
        return _named(named)
    built = cache() / "migrate"
    found = shutil.which("migrate")
    if found is not None and _is_golang_migrate(Path(found)):
        return Path(found)
    return built if built.is_file() else _built_or_none(built.parent)


def or_skip(binary: Path | None) -> Path:
    """
    A binary that a test needs; without it the test is skipped.

    With RUNG_TEST_REQUIRE_ORACLE=1 it fails instead, so that nothing is passed over.
    """
    import pytest

    if binary is None:
        absent = f"no golang-migrate: name one in {VARIABLE}, or install Go"
        if os.environ.get("RUNG_TEST_REQUIRE_ORACLE") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    return binary


def build(folder: Path) -> Path:
    """
    Build golang-migrate with the drivers that are compared into a folder; the binary's path.

    Takes a minute or so, nearly all of it for SQLite's C code.

    Raises:
        FileNotFoundError: there is no Go.
        subprocess.CalledProcessError: Go could not fetch or build it, or has no C compiler.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as workplace:
        subprocess.run(
            ["go", "install", "-tags", " ".join(TAGS), _MODULE],
            env={**os.environ, "GOBIN": workplace, "CGO_ENABLED": "1"},
            check=True,
            capture_output=True,
        )
        # Moved whole, so that another process never finds half a binary.
        return (Path(workplace) / "migrate").replace(folder / "migrate")


def _named(path: str) -> Path | None:
    if not path:
        return None
    if not Path(path).is_file():
        raise FileNotFoundError(f"{VARIABLE} names {path}, which is not a file")
    return Path(path)


def _is_golang_migrate(binary: Path) -> bool:
    """Tell it from Rung's own by the driver it always has, and from builds that lack one."""
    answer = subprocess.run([binary, "-help"], capture_output=True, text=True, check=False)
    drivers = answer.stderr.partition("Database drivers: ")[2].replace(",", " ").split()
    return {"stub", *TAGS} <= set(drivers)


def cache() -> Path:
    """The folder of what was built earlier; it may not be there yet."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "rung" / f"golang-migrate-{VERSION}-{'-'.join(TAGS)}"


def _built_or_none(folder: Path) -> Path | None:
    if shutil.which("go") is None:
        return None
    try:
        return build(folder)
    except (subprocess.CalledProcessError, OSError) as error:
        reason = error.stderr.decode() if isinstance(error, subprocess.CalledProcessError) else ""
        sys.stderr.write(f"golang-migrate {VERSION} could not be built: {error}\n{reason}\n")
        return None


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]))}\n")
