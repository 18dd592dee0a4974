"""The folders of a scenario: laying out its files, and filling in its placeholders."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conformance.backends.backend import Stage
    from tests.conformance.scenario import Files, Special

_URL = re.compile(r"\{url(?::([\w-]+))?(?:\?([^}]*))?\}")
_NAME = re.compile(r"\{([\w%]+)\}")


@dataclass(frozen=True, slots=True)
class Place:
    """
    A folder to work in, with the migrations folder below it.

    Args:
        work: an empty folder, or one of an earlier scenario.
    """

    work: Path

    @property
    def folder(self) -> Path:
        return self.work / "migrations"

    @property
    def names(self) -> dict[str, str]:
        """What of this place stands in messages, and what it is called there."""
        return {str(self.folder): "{dir}", str(self.work): "{work}"}

    def lay(self, files: Files) -> None:
        """Start again with these files."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.put(files)

    def has(self, files: Files) -> bool:
        """Whether these files, and no others, are there already."""
        paths = list(self.folder.rglob("*"))
        if not (self.folder.is_dir() and all(path.is_file() for path in paths)):
            return False
        there = {str(path.relative_to(self.folder)): path.read_text() for path in paths}
        return there == dict(files)

    def put(self, files: Files) -> None:
        """Write files, make folders and links, take away what is to be gone."""
        for name, content in files:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.write_bytes(content.encode())
            else:
                _make(path, content)

    def listing(self) -> tuple[str, ...]:
        """Name what is in the working folder, but for databases."""
        found = (path.relative_to(self.work) for path in self.work.rglob("*"))
        return tuple(sorted(str(path) for path in found if "chatapp" not in path.name))


def _make(path: Path, special: Special) -> None:
    match special.kind:
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(special.target)
        case "wide":
            path.write_text(special.target.replace("<wide>", " " * 5000))
        case "gone":
            path.unlink()
        case unknown:
            raise ValueError(f"no kind of file: {unknown}")


def filled(text: str, place: Place, stage: Stage, query: str = "", user: str = "") -> str:
    """
    Fill in `{dir}`, `{work}`, `{url}` and the stage's own placeholders.

    `{url}` is the stage's URL, `{url:SCHEME}` one of another scheme, `{url?QUERY}` one with
    more of a query. What is no placeholder stays.
    """
    known: Mapping[str, str] = {
        "dir": str(place.folder),
        "work": str(place.work),
        "scheme": stage.scheme,
        **stage.placeholders(),
    }

    def url(match: re.Match[str]) -> str:
        asked = "&".join(filter(None, (query, match[2])))
        return stage.url(match[1] or stage.scheme, asked, user)

    return _NAME.sub(lambda match: known.get(match[1], match[0]), _URL.sub(url, text))
