"""What the service is deployed with fits it: settings, files, commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
import yaml
from tests.chat.image import DOCKERFILE, ROOT, context_files, stages
from tests.chat.serving import SECRET

from chatapp.__main__ import main
from chatapp.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    import socket

COMPOSE: Any = yaml.safe_load((ROOT / "compose.yaml").read_text())
BACKEND = COMPOSE["services"]["backend"]
SETTINGS = {f"CHAT_{name.upper()}" for name in Settings.model_fields}
PUBLISHED = {"CHAT_PUBLISHED_PORT"}
FIXED = {"CHAT_DATABASE_URL", "CHAT_HOST", "CHAT_PORT"}
"""What the image and compose.yaml settle between themselves."""
GIVEN = re.compile(r"^#?([A-Z_]+)=(.*)$", re.MULTILINE)
PASSED = re.compile(r"\$\{(\w+):[-?](.*)\}")


def test_what_is_set_is_a_setting() -> None:
    """Each CHAT_ variable of compose.yaml and of the Dockerfile is one that the service reads."""
    image = re.findall(r"\b(CHAT_\w+)=", DOCKERFILE.read_text())
    composed = [name for name in BACKEND["environment"] if name.startswith("CHAT_")]

    assert {*image, *composed} <= SETTINGS


def test_every_setting_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of .env reaches each setting, and without it there is the service's own default."""
    passed = {
        name: PASSED.fullmatch(str(BACKEND["environment"][name])) for name in SETTINGS - FIXED
    }
    for name in passed:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CHAT_DATABASE_URL", "postgresql://h/d")
    monkeypatch.setenv("CHAT_TOKEN_SECRET", SECRET)
    defaults = Settings()
    for name, found in passed.items():
        assert found is not None, name
        assert found[1] == name
        if name != "CHAT_TOKEN_SECRET":
            monkeypatch.setenv(name, found[2])

    assert Settings() == defaults


def test_the_example_has_all_that_compose_asks_for() -> None:
    """Each variable of compose.yaml stands in .env.example, and no other does."""
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    given = {name for name, _ in GIVEN.findall((ROOT / ".env.example").read_text())}

    assert given == asked


def test_the_example_can_be_used_but_for_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's values are settings as they stand, but everybody knows its token secret."""
    for name, value in GIVEN.findall((ROOT / ".env.example").read_text()):
        if name not in PUBLISHED:
            monkeypatch.setenv(name, value.strip("'"))
    monkeypatch.setenv("CHAT_DATABASE_URL", "postgresql://h/d")
    with pytest.raises(SettingsError) as refused:
        read_settings()
    monkeypatch.setenv("CHAT_TOKEN_SECRET", SECRET)
    settings = read_settings()

    assert str(refused.value).startswith("CHAT_TOKEN_SECRET: this is the value of .env.example")

    assert settings.provider == "local"
    assert "gpt-4o-mini" in settings.openai_models
    assert settings.compatible_up_to is None


GRACE = int(COMPOSE["services"]["backend"]["stop_grace_period"].removesuffix("s"))


def test_a_migration_has_time_to_be_rolled_back() -> None:
    """The container is stopped later than a migration under way is given up."""
    assert GRACE > 20


def test_a_stream_is_broken_off_before_the_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that takes its time does not keep the service from ending in order."""
    given: list[float] = []

    def run(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        given.append(server.config.timeout_graceful_shutdown or 0)
        [listening] = sockets
        listening.close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setenv("CHAT_DATABASE_URL", "postgresql://h/d")
    monkeypatch.setenv("CHAT_TOKEN_SECRET", "x" * 32)
    monkeypatch.setenv("CHAT_PORT", "0")
    with pytest.raises(SystemExit):
        main()

    assert 0 < given[0] < GRACE


def test_the_image_is_built_from_what_is_sent() -> None:
    """What the Dockerfile copies is let through by .dockerignore, and is there."""
    copied = [word for one in stages()[0] if one.name == "COPY" for word in one.rest.split()[:-1]]

    assert {Path(name).parts[0] for name in copied} == set(context_files())
    assert all((ROOT / name).exists() for name in copied)


def test_what_others_wrote_is_in_exact_versions() -> None:
    """Two builds of one commit hold the same: packages, base images."""
    text = (ROOT / "backend" / "requirements.txt").read_text()
    packages = [line for line in text.splitlines() if not line.startswith("#")]
    bases = [*re.findall(r"^ARG BASE=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)]
    bases += [one["image"] for one in COMPOSE["services"].values() if "image" in one]

    assert not [line for line in packages if not re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line)]
    assert not [name for name in bases if not re.fullmatch(r"\w+:\d+\.\d+[.\d]*-[\w-]+", name)]
    assert len(bases) == 2
