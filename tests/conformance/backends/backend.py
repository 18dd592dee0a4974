"""What a scenario needs of a database, and the parts that every database has alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from tests.conformance.scenario import Files, State

Rows = tuple[tuple[int, bool], ...]
_ROW = re.compile(r"\((-?\d+),([tf])\)")
_UP = re.compile(r"(\d+)_.*?\.up\.", re.DOTALL)


class Stage(Protocol):
    """A database that is emptied, filled and looked at."""

    scheme: str

    @property
    def names(self) -> Mapping[str, str]:
        """What of this database stands in messages, and what it is called there."""
        ...

    def url(self, scheme: str, query: str, user: str) -> str:
        """Say how to connect."""
        ...

    def placeholders(self) -> Mapping[str, str]:
        """What scenarios may name of this database."""
        ...

    def reset(self) -> None:
        """Empty it."""
        ...

    def run(self, text: str) -> None:
        """Run SQL as the owner."""
        ...

    def make_ledger(self, rows: Rows) -> None:
        """Make golang-migrate's table, with rows."""
        ...

    def state(self) -> State:
        """Look at it."""
        ...

    def holding(self, text: str) -> AbstractContextManager[None]:
        """Run SQL in a session of its own, which keeps what it took until the end."""
        ...

    def has_visitor(self) -> bool:
        """Whether a session of another program is connected; true where nobody can tell."""
        ...

    def is_running(self, text: str) -> bool:
        """Whether a statement that holds a text is running."""
        ...


def prepare(stage: Stage, files: Files, start: str, sql: str) -> None:
    """
    Bring a stage to where a scenario starts.

    Raises:
        ValueError: `start` names no state.
    """
    stage.reset()
    if start != "none":
        rows = _rows(start)
        stage.make_ledger(rows)
        newest = max((version for version, _ in rows), default=-1)
        if ups := "\n".join(_ups(files, newest)):
            stage.run(ups)
    if sql:
        stage.run(sql)


def _rows(start: str) -> Rows:
    found = tuple((int(version), dirty == "t") for version, dirty in _ROW.findall(start))
    if not found and start != "nil":
        raise ValueError(f"no state of a ledger: {start}")
    return found


def _ups(files: Files, newest: int) -> Iterator[str]:
    """Give the ups to a version in their order, but for those that are meant to fail."""
    texts = {int(m[1]): text for name, text in files if (m := _UP.match(name))}
    for version in sorted(texts):
        text = texts[version]
        if version <= newest and isinstance(text, str) and "nowhere" not in text:
            yield text


def ledger_text(tables: Iterable[tuple[str, Iterable[tuple[int, bool]]]], usual: str) -> str:
    """Write what version tables hold in one line; `usual` is the one that is not named."""
    told = []
    for name, rows in tables:
        held = " ".join(f"({version},{'t' if dirty else 'f'})" for version, dirty in sorted(rows))
        told.append(f"{'' if name == usual else name + ' '}{held or 'nil'}")
    return "; ".join(told) or "none"
