"""Secrets inside migration files are in no output, log, error, traceback or history."""

from __future__ import annotations

import logging
import pickle
import traceback
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.planted import BAD, GOOD, leaks
from tests.integration.terminals import on_terminal

from rung.cli.main import main
from rung.errors import RungError
from rung.events import Notice
from rung.render.errors import full_text
from rung.script import checksum, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.engine.sites import Site

_COMMANDS = (
    *("plan", "plan --json", "plan --verbose", "up --json --verbose", "up --verbose", "up"),
    *("status", "status --json", "history", "history --json --verbose", "check", "check --json"),
    *("version", "accept-edit 1 --yes", "accept-edit 1 --json --yes", "up", "force 1 --yes"),
    *("plan down", "down --yes --verbose", "up --verbose", "down --json --yes", "drop --yes"),
)


@pytest.fixture
def cleared(site: Site) -> Iterator[Site]:
    """Roles and subscriptions outlive a test's database."""
    yield site
    for kind, catalog, name in (
        ("SUBSCRIPTION", "pg_subscription", "subname"),
        ("ROLE", "pg_roles", "rolname"),
    ):
        for (found,) in site.ask(f"SELECT {name} FROM {catalog} WHERE {name} = 'planted'"):
            site.ask(f"DROP {kind} {found}")


@pytest.fixture
def everything(
    cleared: Site,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Callable[[], dict[str, str]]:
    """Give a function that runs each command and gathers all that is said and kept."""
    monkeypatch.setenv("RUNG_DATABASE", cleared.database.url)
    monkeypatch.setenv("RUNG_SOURCE", str(cleared.folder))
    caplog.set_level(logging.DEBUG)

    def gather() -> dict[str, str]:
        told = {}
        for number, command in enumerate(_COMMANDS):
            code = main(command.split())
            printed = capfd.readouterr()
            told[f"{number} {command} {code}"] = printed.out + printed.err
            if command.startswith("up"):
                told[f"{number} history"] = _kept(cleared)
        return told | {"log": caplog.text}

    return gather


def _kept(site: Site) -> str:
    if site.ask("SELECT to_regclass('schema_migrations_history')") == [(None,)]:
        return ""
    return "\n".join(row[0] for row in site.ask("SELECT h::text FROM schema_migrations_history h"))


@pytest.mark.parametrize("form", GOOD)
def test_what_is_applied(
    cleared: Site, everything: Callable[[], dict[str, str]], form: str
) -> None:
    """A secret of an up and a down is seen by the server alone."""
    cleared.add("1_a", GOOD[form], GOOD[form].replace("CREATE USER planted", "ALTER ROLE planted"))
    told = everything()

    assert leaks(told) == []
    assert "***" in "".join(told.values())


@pytest.mark.parametrize("form", BAD)
def test_what_fails(cleared: Site, everything: Callable[[], dict[str, str]], form: str) -> None:
    """What the server says of an error has the secret in many forms."""
    cleared.add("1_a", BAD[form], "SELECT 1;")
    told = everything()

    assert leaks(told) == []
    assert any("error:" in text for text in told.values())


@pytest.mark.parametrize("form", BAD)
def test_what_is_raised(cleared: Site, caplog: pytest.LogCaptureFixture, form: str) -> None:
    """Nor is it in the error, in what that was raised from, in its pickle, or an event."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RungError) as raised:
        cleared.add("1_a", BAD[form]).migrator().up()
    told = {
        "events": repr(cleared.events),
        "log": caplog.text,
        "pickle": repr(vars(pickle.loads(pickle.dumps(raised.value)))),
    }
    for error in _chain(raised.value):
        told[repr(type(error))] = f"{error!r} {error} {vars(error)} {error.args}"
        told[f"{type(error)} traceback"] = "".join(traceback.format_exception(error))

    assert leaks(told) == []


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        yield from _chain(error.__cause__)
        error = error.__context__


def test_the_checksum_is_that_of_the_real_text(cleared: Site) -> None:
    """Another password is another file."""
    cleared.add("1_a", GOOD["plain"]).up()
    kept = cleared.ask("SELECT up_checksum, up_digest, up_sql FROM schema_migrations_history")
    digest = sha256(GOOD["plain"].encode()).hexdigest()

    assert kept == [(checksum(read(GOOD["plain"])), digest, "CREATE USER planted PASSWORD '***';")]


def test_an_edited_secret_is_told_without_it(cleared: Site) -> None:
    """That only a secret differs is said, and neither of the two is shown."""
    cleared.add("1_a", GOOD["plain"]).up()
    cleared.add("1_a", GOOD["plain"].replace("Hunter", "Huntress-Hunter"))
    told = full_text(cleared.up_fails(RungError))

    assert "only in a secret" in told
    assert leaks({"error": told}) == []


@pytest.mark.parametrize("text", [GOOD["notice"], BAD["in a block"], BAD["in a unit"]])
def test_what_a_terminal_shows(cleared: Site, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The live line, the excerpt in colours, the warnings."""
    monkeypatch.setenv("RUNG_DATABASE", cleared.database.url)
    cleared.add("1_a", text)
    told = on_terminal("up", "--verbose", "--source", str(cleared.folder))

    assert "***" in told
    assert leaks({"terminal": told}) == []


def test_a_notice_is_told_without_it(cleared: Site) -> None:
    """A file that speaks of its own secret is not repeated."""
    cleared.add("1_a", GOOD["notice"]).up()

    assert [notice.message for notice in cleared.heard(Notice)] == ["made with ***"]


def test_the_server_has_the_secret(cleared: Site) -> None:
    """Messages are redacted; the file runs unchanged."""
    cleared.add("1_a", GOOD["server"]).up()
    options = cleared.ask("SELECT umoptions::text FROM pg_user_mappings")

    assert "zq7" in options[0][0]
