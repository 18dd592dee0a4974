"""
Create data folders: a cached template made by initdb, copies of it, and persistent ones.

initdb takes half a second, a copy a fortieth of that; so ephemeral servers use copies.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rung.embedded.directories import cache_folder, locked
from rung.embedded.pg_tools import chown_to, initdb, template_name
from rung.embedded.supervisor import remove
from rung.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rung.embedded.binaries import Binaries
    from rung.embedded.pg_tools import Programs

# 1 MB segments of write-ahead log make the folder, and so each copy of it, a third smaller.
_PART_BYTES = 4 * 1024 * 1024
_INITDB_OPTIONS = ("--no-sync", "--wal-segsize=1")


def cached(
    binaries: Binaries,
    programs: Programs,
    environ: Mapping[str, str],
    say: Callable[[str], None],
) -> Path:
    """
    Return the template for this build and account; create it if necessary.

    Safe for many processes at once: the first creates it, the others wait.

    Raises:
        ServerNotStarted: initdb failed.
    """
    identity = programs.identity
    cache = cache_folder(identity.reader, environ)
    target = cache / template_name(binaries, identity)
    if not target.is_dir():
        with locked(cache / f"{target.name}.lock"):
            if not target.is_dir():
                say(f"creating a PostgreSQL {binaries.version} data folder in {cache} (once)")
                _make(programs, target, binaries.major)
    return target / "data"


def _make(programs: Programs, target: Path, major: int) -> None:
    from tempfile import mkdtemp

    making = Path(mkdtemp(prefix="making-", dir=target.parent))
    try:
        if programs.identity.kind == "account":
            making.chmod(0o711)
        data = making / "data"
        data.mkdir(mode=0o700)
        chown_to(data, programs.identity)
        initdb(programs, data, major, _INITDB_OPTIONS)
        making.rename(target)
    except BaseException:
        remove(str(making))
        raise


def copy(template: Path, data: Path) -> None:
    """
    Copy a template with its owners and permissions.

    Copying in this process is twice as fast as `cp` for a thousand small files.

    Raises:
        EmbeddedError: it failed, most likely because the disk is full.
    """
    try:
        _copy_folder(str(template), str(data))
    except OSError as error:
        raise EmbeddedError(
            f"could not copy the data folder to {data}: {error.strerror}",
            remedy="make room there, or set TMPDIR to a folder with more",
        ) from error


def _copy_folder(source: str, target: str) -> None:
    os.mkdir(target, 0o700)  # noqa: PTH102 - plain paths, for speed
    with os.scandir(source) as entries:
        for entry in entries:
            path = f"{target}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                _copy_folder(entry.path, path)
            else:
                _copy_file(entry.path, path)
    facts = os.stat(source)  # noqa: PTH116
    os.chown(target, facts.st_uid, facts.st_gid)


def _copy_file(source: str, target: str) -> None:
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        facts = os.fstat(reading)
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            while part := os.read(reading, _PART_BYTES):
                os.write(writing, part)
            os.fchown(writing, facts.st_uid, facts.st_gid)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def create_persistent_data(programs: Programs, data: Path, major: int) -> None:
    """
    Create the data folder of a persistent server; it is flushed to disk before it gets its name.

    Raises:
        ServerNotStarted: initdb failed.
    """
    making = data.with_name(data.name + ".new")
    remove(str(making))
    making.mkdir(mode=0o700)
    chown_to(making, programs.identity)
    initdb(programs, making, major, ())
    making.rename(data)
    parent = os.open(data.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
