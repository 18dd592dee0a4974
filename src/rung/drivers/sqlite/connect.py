"""
Opens connections to one file, and turns what SQLite says of a failure into our errors.

A file that is not there is not made by looking at it: an empty database in memory stands in
for it until something is to be written.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rung.drivers.inspection import Disconnected
from rung.drivers.sqlite.library import sqlite3
from rung.errors import ConnectionFailed, DatabaseBusy, DatabaseDamaged, QueryFailed

if TYPE_CHECKING:
    from rung.drivers.sqlite.url import SqliteUrl

BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED: Final = (
    "stop writing to it and restore a backup; this rescues what can be read: `sqlite3 "
    "DAMAGED.db .recover | sqlite3 NEW.db`"
)
_FOLDERS: Final = frozenset({"temp_store_directory", "data_store_directory"})
_PRIMARY = 0xFF
"""The low byte of an extended error code is its kind."""


class Opener:
    """
    Opens connections to one database.

    Args:
        address: what its URL says.
    """

    def __init__(self, address: SqliteUrl) -> None:
        self.address = address

    @property
    def shown(self) -> str:
        """The database as people may see it."""
        return self.address.name.partition("?")[0]

    @property
    def file(self) -> Path | None:
        """The file's own path, whatever links lead to it; None for a database in memory."""
        path = self.address.path
        return None if path is None else Path(os.path.realpath(path))

    @property
    def absent(self) -> bool:
        """Whether there is no such file yet."""
        file = self.file
        return file is not None and not file.exists()

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written: the URL says so, or the file is protected."""
        file = self.file
        protected = file is not None and file.exists() and not os.access(file, os.W_OK)
        return protected or not self.address.writable

    def identity(self) -> tuple[int, int] | None:
        """Return the file at the path now, by its device and inode; None where there is none."""
        try:
            found = None if self.file is None else self.file.stat()
        except OSError:
            return None
        return None if found is None else (found.st_dev, found.st_ino)

    def to_read(self) -> sqlite3.Connection:
        """
        A connection that writes nothing and makes no file.

        It is opened for writing, though: only so can it undo what a crash left half written,
        as SQLite does when a database is next opened.
        """
        self._check_kind()
        if self.absent:
            self._check_folder()
            return self._connect("file::memory:")
        database = self._connect(self.address.uri("rw"))
        if self.address.path is not None:
            database.execute("PRAGMA query_only = ON")
        return database

    def to_write(self) -> sqlite3.Connection:
        """A connection with all that the URL asks for; the file is made where it is missing."""
        self._check_kind()
        database = self._connect(self.address.uri("rwc"))
        # What is said to be committed is on disk; a URL may ask for less.
        pragmas = (("synchronous", "FULL"), *self.address.pragmas)
        try:
            for name, value in pragmas:
                database.execute(f"PRAGMA {name} = {value}").fetchall()
        except sqlite3.Error as error:
            database.close()
            raise self.failure(error) from None
        return database

    def failure(self, error: sqlite3.Error) -> Exception:
        """What an error of a statement of ours is for those above."""
        if _is_closed(error):
            return Disconnected(str(error))
        if code_of(error) in BUSY:
            return DatabaseBusy(
                label=self.shown, said=str(error), waited=self.address.busy_ms / 1000
            )
        if code_of(error) == sqlite3.SQLITE_NOTADB:
            said = f"{self.shown} is damaged, encrypted, or not a SQLite database: {error}"
            advice = "check the path in the database's URL; restore a damaged file from a backup"
            return ConnectionFailed(said, advice, said)
        if code_of(error) == sqlite3.SQLITE_CORRUPT:
            return DatabaseDamaged(
                what=self.shown, damage="the file is damaged", said=str(error), remedy=_DAMAGED
            )
        if code_of(error) == sqlite3.SQLITE_CANTOPEN:
            return self._cannot_open(error)
        return QueryFailed(str(error))

    def _check_kind(self) -> None:
        """SQLite opens devices and FIFOs too, and leaves a journal beside them."""
        file = self.file
        if file is not None and file.exists() and not file.is_file():
            said = f"{self.shown} is {'a folder' if file.is_dir() else 'not a regular file'}"
            raise ConnectionFailed(said, "name a file in the database's URL: sqlite://PATH", said)

    def _check_folder(self) -> None:
        folder = self.file.parent if self.file else None
        if folder is not None and not folder.is_dir():
            said = f"could not open {self.shown}: no folder {folder}"
            advice = "check the path in the database's URL, or create the folder"
            raise ConnectionFailed(said, advice, said)

    def _connect(self, uri: str) -> sqlite3.Connection:
        try:
            database = sqlite3.connect(
                uri,
                timeout=self.address.busy_ms / 1000,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=0,
                uri=True,
            )
        except sqlite3.Error as error:
            raise self._cannot_open(error) from None
        database.text_factory = _text
        if self.address.confined:
            database.set_authorizer(_without_other_files)
        return database

    def _cannot_open(self, error: sqlite3.Error) -> ConnectionFailed:
        said = f"could not open {self.shown}: {error}"
        return ConnectionFailed(
            said,
            "check that the folder exists, that Rung may create files in it (SQLite keeps its "
            "journal there), and that the path names a file",
            said,
        )


def code_of(error: sqlite3.Error) -> int:
    """The kind of an error, without what extends it; 0 where it is not SQLite's own."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY


def _is_closed(error: sqlite3.Error) -> bool:
    return isinstance(error, sqlite3.ProgrammingError) and "closed database" in str(error)


def _text(stored: bytes) -> str:
    """Text as it is shown; bytes that are none must not stop a file that selects them."""
    return stored.decode(errors="replace")


def _without_other_files(action: int, name: str | None, *_: str | None) -> int:
    """
    Refuse to open another database: an authorizer of SQLite's.

    The name of an ATTACH is None where it is an expression. VACUUM attaches a file without a name,
    and VACUUM INTO one with a name.
    """
    is_other = action == sqlite3.SQLITE_ATTACH and name not in ("", ":memory:")
    sets_folder = action == sqlite3.SQLITE_PRAGMA and (name or "").lower() in _FOLDERS
    return sqlite3.SQLITE_DENY if is_other or sets_folder else sqlite3.SQLITE_OK
