"""P8: no credential is shown, wherever a user put it, and nothing harmless is taken for one."""

from __future__ import annotations

import json
import logging
import random
import string
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from rung.cli.commands import COMMANDS
from rung.cli.main import main as rung
from rung.cli.options import OPTIONS
from rung.golang_migrate.main import main as migrate
from rung.migrator import Migrator

if TYPE_CHECKING:
    from pathlib import Path

_SECRET = "hunter2secret"
_DEAD = "127.0.0.1:1"

MISTAKES = [
    f"postgres://bob:{_SECRET}@{_DEAD}/db",
    f"POSTGRES://BOB:{_SECRET}@{_DEAD}/DB",
    f"postgresql+psycopg://bob:{_SECRET}@{_DEAD}/db",
    f"pgx5://bob:{_SECRET}@{_DEAD}/db",
    f"postgres:///bob:{_SECRET}@{_DEAD}/db",
    f"postgres:////bob:{_SECRET}@{_DEAD}/db",
    f"postgres:/bob:{_SECRET}@{_DEAD}/db",
    f"postgres:bob:{_SECRET}@{_DEAD}/db",
    f"postgres//bob:{_SECRET}@{_DEAD}/db",
    f"postgres:\\\\bob:{_SECRET}@{_DEAD}/db",
    f"bob:{_SECRET}@{_DEAD}/db",
    f"//bob:{_SECRET}@{_DEAD}/db",
    f"postgres://bob%3A{_SECRET}@{_DEAD}/db",
    f"postgres://bob%3A{_SECRET}@x@{_DEAD}/db",
    f"postgres://bob%3A{_SECRET}%x@{_DEAD}/db",
    f"postgres://bob%3a{_SECRET}%40{_DEAD}/db",
    f"postgres%3A%2F%2Fbob%3A{_SECRET}%40h/db",
    f"postgres%3a//bob:{_SECRET}@h/db",
    f"postgres://bob:{_SECRET}%40{_DEAD}/db",
    f"postgres://bob:%25{_SECRET}@{_DEAD}/db",
    f"postgres://bob:%zz{_SECRET}@{_DEAD}/db",
    f"postgres://:{_SECRET}@{_DEAD}/db",
    f"postgres://bob:{_SECRET}@[::1]:1/db",
    f"postgres://bob:a/{_SECRET}@{_DEAD}/db",
    f"postgres://bob:a@{_SECRET}@{_DEAD}/db",
    f"postgres://bob:a:{_SECRET}@{_DEAD}/db",
    f"postgres://bob:a b{_SECRET}@{_DEAD}/db",
    f"postgres://bob:{_SECRET}/db",
    f"postgres://bob:{_SECRET}",
    f" postgres://bob:{_SECRET}@{_DEAD}/db",
    f"postgres://bob:{_SECRET}@{_DEAD}/db ",
    f"postgres://bob:{_SECRET}@{_DEAD}/db\n",
    f"'postgres://bob:{_SECRET}@{_DEAD}/db'",
    f'"postgres://bob:{_SECRET}@{_DEAD}/db"',
    f"<postgres://bob:{_SECRET}@{_DEAD}/db>",
    f"DATABASE_URL=postgres://bob:{_SECRET}@{_DEAD}/db",
    f"postgres://{_DEAD}/db?password={_SECRET}",
    f"postgres://{_DEAD}/db?sslmode=x&PASSWORD={_SECRET}",
    f"postgres://{_DEAD}/db?sslmode=disable;password={_SECRET}",
    f"jdbc:postgresql://{_DEAD}/db?user=u&password={_SECRET}",
    f"sqlite://bob:{_SECRET}@{_DEAD}/db",
    f"sqlite://bob:{_SECRET}?x@{_DEAD}/db",
    f"sqlite:bob:{_SECRET}@h/db.db",
    f"sqlite:///x/y.db?password={_SECRET}",
    f"sqlite3://bob:{_SECRET}@h/db.db",
    f"host=127.0.0.1 port=1 password={_SECRET}",
    f"host=127.0.0.1 port=1 password = '{_SECRET} x'",
    f"host=127.0.0.1 port=1 password='x {_SECRET}",
    f"host=127.0.0.1 port=1 password='it\\'s {_SECRET}'",
    f"host=127.0.0.1 port=1 passwd={_SECRET}",
    f"host=127.0.0.1 port=x sslpassword={_SECRET}",
    f"password={_SECRET}",
    f"PGPASSWORD={_SECRET}",
]
_VALUED = [one for one in OPTIONS.values() if one.metavar]
_KEYS = [one.key for one in _VALUED if one.is_key]
_OF_RUNG: list[list[str]] = [
    ["?"],
    *([command, "?"] for command in COMMANDS if command != "certify"),
    *([(option.commands or ("up",))[0], option.name, "?"] for option in _VALUED),
    ["wait", "--role", "?"],
    ["up", "--timeout", "?"],
    ["up", "--dry-run", "?"],
    ["new", "?"],
    ["upgrade", "?"],
    ["-path", "?", "up"],
    ["-database", "?", "-path", "?", "up"],
    ["-database=?", "up"],
    ["status", "--databse", "?"],
    ["status", "--databse=?"],
    ["status", "--json=?"],
    ["status", "-d?"],
    ["plan", "up", "?"],
    ["force", "1", "?"],
    ["status", "--source", "package:?"],
    ["status", "--database", "embedded:?\0"],
    ["status", "--role", "x", "--database", "?"],
    ["help", "?"],
]
_OF_MIGRATE: list[list[str]] = [
    ["?"],
    *([command, "?"] for command in ("up", "down", "goto", "force", "drop", "version", "create")),
    ["create", "-ext", "?", "x"],
    ["create", "-format", "?", "x"],
    ["-databse", "?", "up"],
    ["-databse=?", "up"],
    ["-prefetch", "?", "up"],
    ["-lock-timeout", "?", "up"],
    ["-verbose=?", "up"],
    ["-path", "?", "-database", f"postgres://{_DEAD}/db", "up"],
    ["-source", "?", "-database", f"postgres://{_DEAD}/db", "up"],
    ["-source", "file://?", "-database", f"postgres://{_DEAD}/db", "up"],
    ["-path", "migrations", "-database", "?", "up"],
    ["-verbose", "-path", "migrations", "-database", "?", "version"],
]
_VARIABLES = ["RUNG_DATABASE", "DATABASE_URL", "RUNG_SOURCE", "RUNG_DATABASE_FILE"]
_VARIABLES += ["RUNG_LEDGER_WRITERS", "RUNG_SCRATCH", "PGHOST", "PGSERVICE", "PGDATABASE"]


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1_a.up.sql").write_text("SELECT 1;")
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("place", _OF_RUNG, ids=" ".join)
@pytest.mark.parametrize("option", [[], ["--json"]], ids=["text", "json"])
def test_a_credential_in_a_wrong_place(
    place: list[str], option: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Every mistake as every positional word and as every option's value."""
    leaks = []
    for mistake in MISTAKES:
        words = [word.replace("?", mistake) for word in place]
        rung([*words, *option])
        if _SECRET in "".join(capfd.readouterr()):
            leaks.append(words)

    assert leaks == []


@pytest.mark.parametrize("place", _OF_MIGRATE, ids=" ".join)
def test_a_credential_in_a_wrong_place_of_migrate(
    place: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Also in what golang-migrate says word for word."""
    leaks = []
    for mistake in MISTAKES:
        words = [word.replace("?", mistake) for word in place]
        migrate(words)
        if _SECRET in "".join(capfd.readouterr()):
            leaks.append(words)

    assert leaks == []


@pytest.mark.parametrize("variable", _VARIABLES)
@pytest.mark.parametrize("words", [["status"], ["plan", "--json"]], ids=" ".join)
def test_a_credential_in_a_wrong_variable(
    variable: str,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Both commands, and the errors that the library raises."""
    leaks = []
    for mistake in MISTAKES:
        monkeypatch.setenv(variable, mistake)
        rung(words)
        migrate(["-path", "migrations", "-database", f"postgres://{_DEAD}/db", "up"])
        if _SECRET in "".join(capfd.readouterr()):
            leaks.append(mistake)

    assert leaks == []


@pytest.mark.parametrize("key", [*_KEYS, "?", "wrong"])
@pytest.mark.parametrize("option", [[], ["--json"]], ids=["text", "json"])
def test_a_credential_in_a_wrong_project(
    key: str, option: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """As a value and a key of pyproject.toml, beside one that is wrong, and where it is no TOML."""
    leaks = []
    for mistake, wrong in product(MISTAKES, ("", "lock-timeout = 'soon'\n", "= nothing\n")):
        quoted = json.dumps(mistake)
        line = f"{quoted} = 1" if key == "?" else f"{key} = {quoted}"
        (tmp_path / "pyproject.toml").write_text(f"[tool.rung]\n{line}\n{wrong}")
        rung(["status", *option])
        migrate(["-path", "migrations", "-database", f"postgres://{_DEAD}/db", "up"])
        if _SECRET in "".join(capfd.readouterr()):
            leaks.append((mistake, wrong))

    assert leaks == []


@pytest.mark.parametrize("argument", ["database", "source"])
def test_a_credential_in_an_exception(argument: str, caplog: pytest.LogCaptureFixture) -> None:
    """Its text, its parts and what was logged, of the library without a command."""
    caplog.set_level(logging.DEBUG)
    leaks = []
    for mistake in MISTAKES:
        given = {"database": f"postgres://{_DEAD}/db", "source": "migrations", argument: mistake}
        try:
            Migrator(given["database"], given["source"]).status()
        except Exception as error:  # noqa: BLE001 - whatever is raised, it is looked at
            told = f"{error} {error!r} {error.__cause__} {caplog.text}"
            if _SECRET in told:
                leaks.append((mistake, told))

    assert leaks == []


_ODD = [
    "@",
    "%",
    ":",
    "/",
    "?",
    "#",
    "&",
    "=",
    "'",
    '"',
    "\\",
    " ",
    "$(x)",
    ".*+[",
    "é",
    "日",
    "%40",
]


def _planted(draw: random.Random) -> tuple[list[str], str]:
    """Pieces that nobody may see, and the password that holds them, raw or encoded."""
    pieces = ["".join(draw.choices(string.ascii_letters + string.digits, k=9)) for _ in "ab"]
    password = draw.choice(_ODD).join(pieces) if draw.random() < 0.7 else pieces[0]
    if draw.random() < 0.5:
        password = quote(password, safe="")
    return [piece for piece in pieces if piece in password], password


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_calls_at_random_show_no_credential(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """100 calls of either command for each seed, in any place, with a password of any signs."""
    draw, leaks = random.Random(20260112 + seed), []
    for _ in range(100):
        pieces, password = _planted(draw)
        mistake = draw.choice(MISTAKES)
        if "@" not in mistake and "%40" not in mistake:  # an @ would be taken for the host's
            password, pieces = pieces[0], pieces[:1]
        mistake = mistake.replace(_SECRET, password)
        command, places = draw.choice([(rung, _OF_RUNG), (migrate, _OF_MIGRATE)])
        words = [word.replace("?", mistake).replace("\0", "") for word in draw.choice(places)]
        words = [word for word in words if "embedded" not in word]
        words += ["--timeout", "0"] if "wait" in words else []
        if command is rung:
            words += draw.choice([[], [], ["--json"], ["--verbose"], ["-q"], ["-y"], ["x"]])
        variable = draw.choice(_VARIABLES)
        with monkeypatch.context() as within:
            if draw.random() < 0.3 and "\0" not in mistake:
                within.setenv(variable, mistake)
            command(words)
        told = "".join(capfd.readouterr())
        leaks += [(words, variable, piece, told) for piece in pieces if piece in told]

    assert leaks == []
