"""However a database is named, its secrets are in no output, log, table or list of sessions."""

from __future__ import annotations

import logging
import os
import traceback
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest
from tests.integration.connections.machine import PORT
from tests.integration.terminals import on_terminal

from rung.cli.main import main
from rung.errors import RungError
from rung.migrator import Migrator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.connections.machine import Machine

_SECRET = "zq7-Hunter2"
_COMMANDS = (
    *("version --json", "status", "status --json --verbose", "plan --verbose", "plan --json"),
    *("wait --timeout 100ms", "wait newest --timeout 100ms --json", "check", "up --json --verbose"),
    *("up --verbose", "history --json", "history", "accept-edit 1 --yes", "force 1 --yes --json"),
    *("down --yes --verbose", "up"),
)
_SEEN = "CREATE TABLE seen AS SELECT a::text FROM pg_stat_activity a WHERE pid = pg_backend_pid();"


class Way(NamedTuple):
    """How a database is named: the word of the command line, and the environment."""

    database: str = ""
    variables: dict[str, str] = {}  # noqa: RUF012 - never changed


def _url(place: str, secret: str = _SECRET) -> Way:
    return Way(f"postgresql://ada:{secret}@/postgres?{place.replace(' ', '&')}")


def _in_file(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    (folder / name).chmod(0o600)
    return str(folder / name)


def _service(place: str, folder: Path) -> Way:
    lines = "\n".join(f"{place} user=ada dbname=postgres password={_SECRET}".split())
    file = _in_file(folder, "services", f"[chat]\n{lines}\n")
    return Way("", {"PGSERVICE": "chat", "PGSERVICEFILE": file})


def _passfile(place: str, folder: Path) -> Way:
    file = _in_file(folder, "pass", f"*:*:*:*:{_SECRET}\n")
    return Way(f"{place} user=ada dbname=postgres", {"PGPASSFILE": file})


def _pyproject(place: str, folder: Path) -> Way:
    _in_file(folder, "pyproject.toml", f'[tool.rung]\ndatabase = "{_url(place).database}"\n')
    return Way()


WAYS: dict[str, Callable[[str, Path], Way]] = {
    "url": lambda place, _: _url(place),
    "golang": lambda place, _: Way(
        _url(place).database.replace("postgresql", "pgx5") + "&x-statement-timeout=1&pool_max=2"
    ),
    "key of a url": lambda place, _: Way(
        f"postgresql://ada@/postgres?{place.replace(' ', '&')}&password={_SECRET}"
    ),
    "keywords": lambda place, _: Way(f"{place} user=ada dbname=postgres password='{_SECRET}'"),
    "variable": lambda place, _: Way("", {"RUNG_DATABASE": _url(place).database}),
    "other variable": lambda place, _: Way("", {"DATABASE_URL": _url(place).database}),
    "file": lambda place, folder: Way(
        "", {"RUNG_DATABASE_FILE": _in_file(folder, "secret", _url(place).database)}
    ),
    "pyproject": _pyproject,
    "libpq": lambda place, _: Way(
        "",
        {
            **{
                f"PG{key.upper()}": value
                for key, _, value in (k.partition("=") for k in place.split())
            },
            "PGUSER": "ada",
            "PGDATABASE": "postgres",
            "PGPASSWORD": _SECRET,
        },
    ),
    "service": _service,
    "passfile": _passfile,
    "key's password": lambda place, _: Way(
        f"{place} user=ada dbname=postgres password={_SECRET} sslkey=/nowhere sslpassword={_SECRET}"
    ),
}
BROKEN = (
    f"postgresql://ada:{_SECRET}@:x:/d",
    f"postgresql://ada:a@{_SECRET}@127.0.0.1:1/d",
    f"postgresql://ada:{_SECRET}@a@127.0.0.1:1/d",
    f"postgresql://ada:a/{_SECRET}@127.0.0.1:1/d",
    f"postgresql://ada:{_SECRET}/a@127.0.0.1:1/d",
    f"postgresql://ada:a@b/{_SECRET}@127.0.0.1:1/d",
    f"postgresql://ada:{_SECRET}%zz@127.0.0.1:1/d",
    f"postgresql://ada:%zz{_SECRET}@127.0.0.1:1/d",
    f"postgresql://ada:{_SECRET}%00@127.0.0.1:1/d",
    f"postgresql://ada:[{_SECRET}]@127.0.0.1:1/d",
    f"postgresql://ada:{_SECRET}@[127.0.0.1:1/d",
    f"postgresql://ada:{_SECRET}@127.0.0.1:1/d?port=2&host",
    f"postgresql://ada@127.0.0.1:1/d?password={_SECRET}%zz",
    f"postgresql://ada@127.0.0.1:1/d?sslpassword={_SECRET}&sslmode=never",
    f"postgresql:ada:{_SECRET}@127.0.0.1:1/d",
    f"postgres:/ada:{_SECRET}@127.0.0.1:1/d",
    f"postgresql://ada:{_SECRET}",
    f"//ada:{_SECRET}@127.0.0.1:1/d",
    f"cockroachdb://ada:{_SECRET}@127.0.0.1:1/d",
    f"sqlite://ada:{_SECRET}@/d",
    f"host=127.0.0.1 port=1 user=ada password={_SECRET} more words",
    f"host=127.0.0.1 port=1 user=ada password=more {_SECRET}",
    f"host=127.0.0.1 port=1 user=ada password='{_SECRET}",
    f"host=127.0.0.1 port=x password={_SECRET}",
    f"host=127.0.0.1 port=1 passwort={_SECRET}",
    f"host=127.0.0.1 port=1 password {_SECRET}",
    f"dbname=postgresql://ada:{_SECRET}@127.0.0.1:1/d",
    f"dbname='host=127.0.0.1 port=1 password={_SECRET}'",
    f"service=nowhere password={_SECRET}",
)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with one migration, in an environment that names no database."""
    for name in [name for name in os.environ if name.startswith(("PG", "RUNG_", "DATABASE"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations/1_a.up.sql").write_text(_SEEN)
    (tmp_path / "migrations/1_a.down.sql").write_text("DROP TABLE seen;")
    return tmp_path


@pytest.fixture
def place(machine: Machine) -> str:
    """Give the place of a machine that asks `ada` for her password."""
    machine.start()
    machine.await_answer()
    machine.ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    machine.ask("DROP ROLE IF EXISTS ada")
    machine.ask(f"CREATE ROLE ada LOGIN SUPERUSER PASSWORD '{_SECRET}'")
    return f"host={machine.folder} port={PORT}"


class Told(NamedTuple):
    """What was said, and with which exit codes."""

    texts: dict[str, str]
    codes: set[int]

    def leaks(self) -> list[tuple[str, str]]:
        """The lines with a piece of the secret."""
        lines = ((where, line) for where, text in self.texts.items() for line in text.splitlines())
        return [(where, line) for where, line in lines if "zq7" in line or "Hunter" in line]


@pytest.fixture
def tell(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Callable[..., Told]:
    """Give a function that runs commands on a database and gathers all they say."""
    caplog.set_level(logging.DEBUG)

    def run(way: Way, commands: tuple[str, ...] = _COMMANDS) -> Told:
        named = ["--database", way.database] if way.database else []
        for name, value in way.variables.items():
            monkeypatch.setenv(name, value)
        texts, codes = {}, set()
        for number, command in enumerate(commands):
            codes.add(main([*command.split(), *named]))
            printed = capfd.readouterr()
            texts[f"{number} {command}"] = printed.out + printed.err
        if commands is _COMMANDS:
            texts["terminal"] = on_terminal("up", "--verbose", *named)
        texts |= {"raised": _raised(way), "log": caplog.text}
        return Told(texts, codes)

    return run


def _raised(way: Way) -> str:
    """The error of the library, and all that it was raised from."""
    if not way.database:
        return ""
    try:
        Migrator(way.database, "migrations").version()
    except RungError as error:
        return "".join((repr(error), repr(vars(error)), *_chain(error)))
    return ""


def _chain(error: BaseException | None) -> list[str]:
    if error is None:
        return []
    told = "".join(traceback.format_exception(error))
    return [told, repr(error.args), *_chain(error.__cause__), *_chain(error.__context__)]


def _kept(machine: Machine) -> str:
    """The history and what a file saw in pg_stat_activity."""
    with psycopg.connect(machine.conninfo) as connection:
        rows = connection.execute("SELECT h::text FROM schema_migrations_history h").fetchall()
        rows += connection.execute("SELECT * FROM seen").fetchall()
    return "\n".join(str(row) for row in rows)


@pytest.mark.parametrize("name", WAYS)
def test_the_right_password(
    name: str, place: str, work: Path, machine: Machine, tell: Callable[..., Told]
) -> None:
    """Everything works, and nothing tells the secret."""
    told = tell(WAYS[name](place, work))
    told.texts["kept"] = _kept(machine)
    told.texts["drop"] = tell(WAYS[name](place, work), ("drop --yes --verbose",)).texts[
        "0 drop --yes --verbose"
    ]

    assert told.leaks() == []
    assert told.codes <= {0, 2, 3}
    assert "rung" in told.texts["kept"]


@pytest.mark.parametrize("name", WAYS)
def test_a_wrong_password(
    name: str, place: str, work: Path, machine: Machine, tell: Callable[..., Told]
) -> None:
    """The server refuses it, and nobody repeats it."""
    machine.ask("ALTER ROLE ada PASSWORD 'another'")
    told = tell(WAYS[name](place, work))

    assert told.leaks() == []
    assert told.codes == {7}


@pytest.mark.parametrize("name", WAYS)
def test_a_dead_port(name: str, work: Path, tell: Callable[..., Told]) -> None:
    """Nobody answers."""
    told = tell(WAYS[name]("host=127.0.0.1 port=1", work))

    assert told.leaks() == []
    assert told.codes == {7}


@pytest.mark.parametrize("database", BROKEN)
def test_what_cannot_be_read(database: str, work: Path, tell: Callable[..., Told]) -> None:
    """Neither by Rung nor by libpq, which quotes pieces of it."""
    told = tell(Way(database), ("version --json", "up --verbose", "wait --timeout 100ms"))
    other = tell(Way("", {"RUNG_DATABASE": database}), ("status", "drop --yes --json"))

    assert told.leaks() + other.leaks() == []
    assert 0 not in told.codes | other.codes
