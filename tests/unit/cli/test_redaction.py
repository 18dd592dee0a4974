"""No password reaches a message of the command, however and wherever it was given by mistake."""

from __future__ import annotations

import random
from itertools import product
from typing import TYPE_CHECKING

import pytest

from rung.cli.commands import COMMANDS
from rung.cli.main import main
from rung.golang_migrate.main import main as migrate
from rung.redaction import redacted, redacted_word, secrets_among, secrets_in, without_values

if TYPE_CHECKING:
    from pathlib import Path

_SECRET = "hunter2secret"
_NO_PORT = "127.0.0.1:1"

_MISTAKES = [
    f"postgres://bob:{_SECRET}@{_NO_PORT}/db",
    f"postgres:///bob:{_SECRET}@{_NO_PORT}/db",
    f"postgres:/bob:{_SECRET}@{_NO_PORT}/db",
    f"postgres:bob:{_SECRET}@{_NO_PORT}/db",
    f"postgres://bob%3A{_SECRET}@{_NO_PORT}/db",
    f"postgres%3A%2F%2Fbob%3A{_SECRET}%40h/db",
    f"bob:{_SECRET}@{_NO_PORT}/db",
    f"host=127.0.0.1 port=1 password={_SECRET}",
    f"password={_SECRET}",
    f"'postgres://bob:{_SECRET}@{_NO_PORT}/db'",
    f"jdbc:postgresql://{_NO_PORT}/db?user=u&password={_SECRET}",
    f"postgres://bob:{_SECRET}@{_NO_PORT}/db\n",
    f"postgres://bob:a/{_SECRET}@{_NO_PORT}/db",
    f"postgres://bob:a@{_SECRET}@{_NO_PORT}/db",
    f"postgres://bob:{_SECRET}/db",
]
_PLACES: list[list[str]] = [
    *([command, "?"] for command in COMMANDS if command != "certify"),
    ["?"],
    ["status", "--databse=?"],
    ["status", "--databse", "?"],
    ["status", "--json=?"],
    ["status", "--source", "?"],
    ["status", "--ledger-table", "?"],
    ["status", "--history-table", "?"],
    ["status", "--role", "?", "--database", f"postgres://127.0.0.1:1/db?password={_SECRET}"],
    ["status", "--database", "?"],
    ["status", "--database", "embedded:?\0"],
    ["status", "--wait-for-lock", "?"],
    ["up", "--if-ahead", "?"],
    ["up", "--allow-out-of-order", "?,?"],
    ["up", "password", "=", _SECRET],
    ["up", "--password", _SECRET],
    ["create", "host=h", "?"],
    ["status", "--source", "package:?"],
]


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations").mkdir()
    for name in ("RUNG_DATABASE", "RUNG_DATABASE_FILE", "DATABASE_URL", "RUNG_SOURCE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("place", _PLACES, ids=lambda place: " ".join(place)[:40])
def test_a_mistake_on_the_command_line_shows_no_password(
    place: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """In text, as JSON and with a traceback."""
    for mistake, option in product(_MISTAKES, ([], ["--json"], ["--verbose"])):
        words = [word.replace("?", mistake) for word in place]
        code = main([*words, *option])
        told = "".join(capfd.readouterr())

        assert code in {1, 2, 7}, words
        assert _SECRET not in told, words


@pytest.mark.parametrize(
    "variable", ["RUNG_DATABASE", "DATABASE_URL", "RUNG_SOURCE", "RUNG_DATABASE_FILE"]
)
@pytest.mark.parametrize("mistake", _MISTAKES)
def test_a_mistake_in_the_environment_shows_no_password(
    variable: str, mistake: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither of what reads the database nor of what reads the files."""
    monkeypatch.setenv(variable, mistake)

    assert main(["status"]) in {1, 2, 7}
    assert _SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "key", ["database", "source", "role", "ledger-table", "if-ahead", "wait-for-lock", "?"]
)
@pytest.mark.parametrize("mistake", _MISTAKES)
def test_a_mistake_in_the_settings_shows_no_password(
    key: str, mistake: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """As a value, as a key, and where the file is no TOML."""
    told = mistake.replace("\n", "\\n")
    name, value = (f'"{told}"', "x") if key == "?" else (key, told)
    (tmp_path / "pyproject.toml").write_text(f'[tool.rung]\n{name} = "{value}"\n')
    main(["status"])
    (tmp_path / "pyproject.toml").write_text(f"[tool.rung]\n{name} = {value}\n")
    main(["status"])

    assert _SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize("mistake", _MISTAKES)
@pytest.mark.parametrize(
    "place",
    [
        ["?"],
        ["up", "?"],
        ["goto", "?"],
        ["force", "?"],
        ["create", "?"],
        ["create", "-ext", "sql", "?"],
        ["-databse=?", "up"],
        ["-prefetch", "?", "up"],
        ["-path", "?", "-database", "?", "up"],
        ["-source", "?", "-database", "?", "up"],
        ["-path", "migrations", "-database", "?", "up"],
    ],
)
def test_a_mistake_of_the_other_command_shows_no_password(
    place: list[str], mistake: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """golang-migrate's own messages, too."""
    words = [word.replace("?", mistake) for word in place]

    assert migrate(words) in {0, 1, 2}
    assert _SECRET not in "".join(capfd.readouterr())


def test_calls_at_random_show_no_password(capfd: pytest.CaptureFixture[str]) -> None:
    """Any words in any order, with one mistake among them."""
    draw = random.Random(20260112)
    plain = {word for place in _PLACES for word in place if "?" not in word}
    options = sorted(word for word in plain if _SECRET not in word and word != "password")
    leaks = []
    for _ in range(1000):
        words = draw.choices([*options, "-y", "3", "x"], k=draw.randint(1, 4))
        at = draw.randint(0, len(words))
        words[at:at] = [draw.choice(["", "", "-d", "-s", "--x="]) + draw.choice(_MISTAKES)]
        words = [word for word in words if "?" not in word and "embedded" not in word]
        if "wait" not in words:
            main([*words, "-d", "postgres://127.0.0.1:1/db"])
        if _SECRET in "".join(capfd.readouterr()):
            leaks.append(words)

    assert leaks == []


_HARMLESS = [
    *("bob@example.com", "mailto:bob@example.com", "To:bob@example.com", "a@b:c", "user@host"),
    *("a://b:c", "10:20@x", "12:30:45@home", "2024-01-01T10:00:00@UTC", "user@host:5432/db"),
    *("git@github.com:x", "ssh://git@github.com/x/y.git", "ssh://git@github.com:22/x@y"),
    *("nginx:1.25", "registry.io:5000/team/app:1.2", "app:1.2@sha256:0123abcd", "$1@$2"),
    *("registry.io:5000/app@sha256:0123abcd", "localhost:5000/app:tag@v1", "@scope/pkg"),
    *("src/app.py:12@main", "main.py", "1_users.up.sql", "add_password_column", "C:/x:y@z"),
    *("UPDATE users SET password = 'x'", "SELECT password = crypt($1, password)", "C:\\x@y"),
    *("WHERE password=$1", "password =", "users.password", 'column "password" does not exist'),
    *("host=db port=5432 dbname=x user=y", "postgres://db:5432/chat", "postgresql://me@db/chat"),
    *("postgresql://me@db:5432/chat?application_name=a@b", "https://host:8080/a@b", "package:a.b"),
    *("https://example.com/a?next=b@c", "http://[::1]:80/x", "pkg@git+https://host:443/x"),
    *("file:///srv/x:y@z", "sqlite:///srv/a@b.db", "reset password: step 2", "***"),
    "postgres://u:***@h/db",
]


@pytest.mark.parametrize("text", _HARMLESS)
def test_a_harmless_text_stays(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    """As a word of the command line and in what a server says."""
    main(["wait", text])
    told = capfd.readouterr().err

    assert redacted_word(text) == redacted(text) == text
    assert text[:40] in told.replace("\\\\", "\\")


@pytest.mark.no_cover  # many long texts through code that the other tests cover
@pytest.mark.parametrize(
    "part",
    [
        "a",
        ":",
        "@",
        "a:",
        "a:@ ",
        "a:b@c ",
        "://a:",
        "postgres://a:b@c/d ",
        "%3A",
        "%3a%40 ",
        "password=",
        "password='",
        "?password=a&",
        "1:1@ ",
    ],
)
def test_long_texts_are_read_once(part: str) -> None:
    """A megabyte of what makes careless expressions go over a text again and again."""
    text = part * (2**20 // len(part))
    for found in (text, f"{text}@h/d", f"postgres://u:{text}"):
        redacted(found)
        redacted_word(found)
        secrets_in(found)
        secrets_among([found])

    assert without_values(text, {"hunter2secret"}) == text
