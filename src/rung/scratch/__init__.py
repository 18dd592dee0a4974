"""
Disposable databases to prove things on: made for a block, gone behind it whatever happens.

Knows how to come by them, to copy and to remove them; what is proven there is decided above.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rung.errors import UsageError
from rung.scratch.embedded_server import embedded
from rung.scratch.model import Scratch
from rung.scratch.named_server import named
from rung.scratch.sqlite_files import files
from rung.script.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.drivers.contract import Driver, Session

__all__ = ["Scratch", "scratch_of"]


@contextmanager
def scratch_of(
    driver: Driver, session: Session, url: str | None, say: Callable[[str], None]
) -> Iterator[Scratch]:
    """
    Databases to try on what is meant for another, for a block.

    Args:
        driver: of that other database; names of ledger and history are taken from it.
        session: on it; only its surroundings are read.
        url: a server to make them on; None for the embedded one, or for SQLite a folder.
        say: told, in a sentence, what takes long or is not as it is there.

    Raises:
        EmbeddedError: there is no embedded server, and none was named.
        ScratchFailed: the server that was named makes no databases for us.
        UsageError: the URL cannot be read, or names a server where none is needed.
    """
    place = session.locate()
    if place.dialect is Dialect.SQLITE:
        if url is not None:
            raise UsageError("SQLite needs no server to try things on.", "Leave --scratch out.")
        with files(driver) as made:
            yield made
        return
    around = session.surroundings()
    opened = embedded(driver, around, say) if url is None else named(driver, around, url)
    with opened as made:
        yield made
