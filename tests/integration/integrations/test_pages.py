"""Each page about a framework is a project that works as it is written, on a real database."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from tests.servers import Database

GUIDES = Path(__file__).parents[3] / "docs" / "guides"
FILE = re.compile(r"^```(?:python|sql)\n(?:#|--) (\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SERVED = {
    "starlette": ("uvicorn", "app:app"),
    "litestar": ("uvicorn", "app:app"),
    "fastapi": ("uvicorn", "app:app"),
    "flask": ("flask", "--app", "app", "run"),
}
DJANGO_TESTS = """
from django.test import TestCase, TransactionTestCase
from notes.models import Note

class Keeps:
    def test_it(self):
        assert Note.objects.create(author_id=1, body="kept").pk

class One(Keeps, TestCase): ...
class Two(Keeps, TransactionTestCase): ...
"""
KEEP_ONE = "INSERT INTO notes (body) VALUES ('kept')"


def written(page: str, folder: Path) -> Path:
    """Write a page's files, each of which begins with its name in a comment."""
    files = FILE.findall((GUIDES / f"{page}.md").read_text())
    assert files, "the page has no files"
    for name, content in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def begun(folder: Path, url: str, *words: str, **variables: str) -> subprocess.Popen[str]:
    """Start a module of Python's in a folder; what it prints goes into one stream."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE_", "PG"))}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", *words],
        cwd=folder,
        env=kept | {"DATABASE_URL": url} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> str:
    """What it printed; it has to end well."""
    printed = process.communicate(timeout=120)[0]
    assert process.returncode == 0, printed
    return printed


def answer(address: str, process: subprocess.Popen[str]) -> Any:  # noqa: ANN401 - JSON
    """What is answered with 200, once it is; what was printed where the server ends before."""
    for _ in range(2400):
        try:
            with urlopen(address, timeout=30) as response:
                return json.load(response)
        except (URLError, ConnectionError):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.05)
    raise AssertionError(process.communicate()[0])


@pytest.mark.parametrize("page", SERVED)
def test_a_service(page: str, database: Database, tmp_path: Path) -> None:
    """The server of the page migrates when it starts, says that it is ready, and serves rows."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    folder = written(page, tmp_path)
    process = begun(folder, database.url, "-m", *SERVED[page], "--port", str(port))
    ready = answer(f"http://127.0.0.1:{port}/ready", process)
    database.psql(KEEP_ONE)

    assert ready["state"] == "current"
    assert answer(f"http://127.0.0.1:{port}/notes", process) == [{"id": 1, "body": "kept"}]
    process.terminate()
    process.communicate(timeout=60)
    assert database.psql("SELECT version, dirty FROM schema_migrations") == [(1, False)]


def test_the_log_under_plain_uvicorn(database: Database, tmp_path: Path) -> None:
    """Each applied migration is shown at INFO, and the whole error of one that fails."""
    folder = written("fastapi", tmp_path)
    bad = "ALTER TABLE notes ADD COLUMN author txt;"
    (folder / "migrations" / "000002_add_author.up.sql").write_text(bad)
    process = begun(folder, database.url, "-m", "uvicorn", "app:app", "--port", "0")
    assert process.stdout is not None
    printed = ""
    while "no force is needed" not in printed:
        line = process.stdout.readline()
        assert line, printed
        printed += line
    process.terminate()
    process.communicate(timeout=60)

    assert re.search(r"^INFO:rung:up 1 create_notes: applied in ", printed, re.MULTILINE)
    assert "ERROR:rung:Not ready (failed): migration 2 (add_author) failed: " in printed
    shown = (GUIDES / "fastapi.md").read_text()
    assert printed[printed.index("ERROR:rung") :] in shown


@pytest.mark.parametrize(
    ("page", "scheme"), [("sqlalchemy", "postgresql+asyncpg"), ("asyncpg", "")]
)
def test_a_program(page: str, scheme: str, database: Database, tmp_path: Path) -> None:
    """It migrates, writes and reads; the URL is one for it and for Rung."""
    url = database.url.replace("postgresql", scheme or "postgresql", 1)
    folder = written(page, tmp_path)

    assert "[(1, 'kept')]" in finished(begun(folder, url, "app.py"))
    assert "1 create_notes" in " ".join(
        finished(begun(folder, url, "-m", "rung", "status", "-d", url)).split()
    )


def test_sqlalchemy_on_sqlite(tmp_path: Path) -> None:
    """A relative path behind three slashes is one file to SQLAlchemy's driver and to Rung."""
    folder, url = written("sqlalchemy", tmp_path), "sqlite+aiosqlite:///notes.db"
    table = "CREATE TABLE notes (id integer PRIMARY KEY, body text NOT NULL);"
    (folder / "migrations" / "000001_create_notes.up.sql").write_text(table)

    assert "[(1, 'kept')]" in finished(begun(folder, url, "app.py"))
    assert finished(begun(folder, url, "-m", "rung", "version", "-d", url)) == "1\n"
    assert (folder / "notes.db").exists()


def test_django(database: Database, tmp_path: Path) -> None:
    """`migrate` makes Django's tables and ours, for its tests as well; a model reads ours."""
    folder = written("django", tmp_path)
    (folder / "notes" / "__init__.py").touch()
    there = conninfo_to_dict(database.conninfo)
    names = {"PGDATABASE": "dbname", "PGUSER": "user", "PGHOST": "host", "PGPORT": "port"}
    given = {name: str(there[key]) for name, key in names.items() if key in there}
    given |= {"DJANGO_SETTINGS_MODULE": "settings", "DJANGO_SECRET_KEY": "k", "PYTHONPATH": "."}
    for _ in range(2):
        finished(begun(folder, "", "-m", "django", "migrate", **given))
    (folder / "notes" / "tests.py").write_text(DJANGO_TESTS)
    assert "Ran 2 tests" in finished(begun(folder, "", "-m", "django", "test", **given))
    finished(begun(folder, "", "-m", "django", "flush", "--no-input", **given))
    asks = "from notes.models import Note; print('notes:', Note.objects.count())"
    printed = finished(begun(folder, "", "-m", "django", "shell", "-c", asks, **given))

    assert "notes: 0" in printed
    assert database.psql("SELECT version FROM notes.schema_migrations") == [(1,)]
    assert database.psql("SELECT to_regclass('public.django_migrations') IS NOT NULL") == [(True,)]
