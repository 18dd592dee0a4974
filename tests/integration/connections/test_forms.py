"""Every way to name a database leads to it, with any password, and none of them tells it."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.integration.connections.machine import PORT

from rung.database import Database
from rung.errors import ConnectionFailed
from rung.events import Warned
from rung.migrator import Migrator
from rung.render.errors import full_text

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.connections.machine import Machine

    from rung.events import Event

    Begin = Callable[..., subprocess.Popen[str]]

_SECRET = "s3:cr?t#&[x] y"


@pytest.fixture
def guarded(machine: Machine) -> Machine:
    """Give a machine that runs and asks `ada` for a password."""
    machine.start()
    machine.await_answer()
    machine.ask(f"DROP ROLE IF EXISTS ada; CREATE ROLE ada LOGIN PASSWORD '{_SECRET}'")
    return machine


def _version(begin: Begin, *words: str, **variables: str) -> tuple[int, str, str]:
    process = begin("version", *words, **variables)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def _place(machine: Machine) -> str:
    return f"host={quote(str(machine.folder), safe='')}&port={PORT}"


def test_urls(guarded: Machine, begin: Begin) -> None:
    """The password raw, encoded, and as a key; golang-migrate's schemes."""
    place, secret = _place(guarded), quote(_SECRET, safe="")
    urls = [
        f"postgresql://ada:{_SECRET}@/postgres?{place}",
        f"postgres://ada:{secret}@/postgres?{place}",
        f"pgx5://ada@/postgres?password={secret}&{place}&x-multi-statement=true",
    ]

    assert [_version(begin, "-d", url) for url in urls] == [(0, "none\n", "")] * 3


def test_keywords_and_variables(guarded: Machine, begin: Begin, tmp_path: Path) -> None:
    """Keywords, libpq's variables alone, and a file as Docker's secrets are."""
    words = f"host={guarded.folder} port={PORT} dbname=postgres user=ada"
    (tmp_path / "secret").write_text(f"{words} password='{_SECRET}'\n")
    variables = {"PGHOST": str(guarded.folder), "PGPORT": str(PORT), "PGDATABASE": "postgres"}
    variables |= {"PGUSER": "ada", "PGPASSWORD": _SECRET}

    found = [
        _version(begin, "-d", f"{words} password='{_SECRET}'"),
        _version(begin, RUNG_DATABASE_FILE=str(tmp_path / "secret")),
        _version(begin, "-d", words, PGPASSWORD=_SECRET),
        _version(begin, **variables),
    ]
    assert found == [(0, "none\n", "")] * 4


def test_services_and_password_files(guarded: Machine, begin: Begin, tmp_path: Path) -> None:
    """Libpq's own files are read as libpq reads them."""
    (tmp_path / "services").write_text(
        f"[chat]\nhost={guarded.folder}\nport={PORT}\nuser=ada\ndbname=postgres\n"
    )
    escaped = _SECRET.replace(":", "\\:")
    (tmp_path / "pass").write_text(f"*:*:postgres:ada:{escaped}\n")
    (tmp_path / "pass").chmod(0o600)
    files = {"PGSERVICEFILE": str(tmp_path / "services"), "PGPASSFILE": str(tmp_path / "pass")}

    found = [
        _version(begin, "-d", "service=chat", **files),
        _version(begin, "-d", "postgresql://?service=chat", **files),
        _version(begin, PGSERVICE="chat", **files),
    ]
    assert found == [(0, "none\n", "")] * 3


def test_a_wrong_password_is_not_told(
    guarded: Machine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the error nor by the library's own log at its most talkative."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PGPASSWORD", "wr0ng:pass")
    urls = [
        f"postgresql://ada:wr0ng%3Apass@/postgres?{_place(guarded)}",
        f"postgresql://ada@/postgres?{_place(guarded)}",
        f"postgresql://ada:wr0ng:pass@/postgres?{_place(guarded)}",
    ]
    for url in urls:
        with pytest.raises(ConnectionFailed, match="ada@") as caught:
            Migrator(url, "").version()
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert "wr0ng" not in told + caplog.text


def test_tokens(guarded: Machine) -> None:
    """Each connection has a token of its own, which wins over a password in the URL."""
    tokens = iter([_SECRET, _SECRET, "wr0ng"])
    url = f"postgresql://ada:old@/postgres?{_place(guarded)}"
    migrator = Migrator(Database(url, password=lambda: next(tokens)), "")

    assert [migrator.version().version, migrator.version().version] == [None, None]
    with pytest.raises(ConnectionFailed) as caught:
        migrator.version()
    assert "wr0ng" not in full_text(caught.value)


def test_libpqs_options_are_in_force(guarded: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What PGOPTIONS sets stands beside what the URL sets; the URL wins where both do."""
    guarded.ask(
        "DROP SCHEMA IF EXISTS s3 CASCADE; CREATE SCHEMA s3; "
        "CREATE TABLE s3.schema_migrations (version bigint not null primary key, "
        "dirty boolean not null); INSERT INTO s3.schema_migrations VALUES (7, false)"
    )
    monkeypatch.setenv("PGOPTIONS", "-c search_path=s3")
    url = f"postgresql://postgres@/postgres?{_place(guarded)}"

    assert Migrator(f"{url}&statement_timeout=9s", "").version().version == 7
    assert Migrator(f"{url}&search_path=public", "").version().version is None


def test_notes_are_told_once(guarded: Machine, begin: Begin) -> None:
    """What of a URL is left out is a warning, once for a call and once for a command."""
    url = f"postgresql://postgres@/postgres?{_place(guarded)}&pool_max_conns=4"
    said: list[Event] = []
    Migrator(url, "", listener=said.append).version()
    process = begin("drop", "--yes", "--database", url)
    _, err = process.communicate(timeout=30)

    assert len([event for event in said if isinstance(event, Warned)]) == 1
    assert err.count("pool_max_conns") == 1
