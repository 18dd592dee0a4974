"""What the service is deployed with fits it: settings, files, commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
import yaml
from tests.chat.image import DOCKERFILE, ROOT, let_through, stages

from chatapp.__main__ import main
from chatapp.settings import Settings

if TYPE_CHECKING:
    import pytest

COMPOSE: Any = yaml.safe_load((ROOT / "compose.yaml").read_text())
SETTINGS = {f"CHAT_{name.upper()}" for name in Settings.model_fields}
PUBLISHED = {"CHAT_PUBLISHED_PORT"}
GIVEN = re.compile(r"^#?([A-Z_]+)=(.*)$", re.MULTILINE)


def test_what_is_set_is_a_setting() -> None:
    """Each CHAT_ variable of compose.yaml and of the Dockerfile is one that the service reads."""
    image = re.findall(r"\b(CHAT_\w+)=", DOCKERFILE.read_text())
    composed = COMPOSE["services"]["backend"]["environment"]

    assert {*image, *composed} <= SETTINGS
    assert {"CHAT_DATABASE_URL", "CHAT_TOKEN_SECRET"} <= set(composed)


def test_the_example_has_all_that_compose_asks_for() -> None:
    """Each variable of compose.yaml stands in .env.example, and no other does."""
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    given = {name for name, _ in GIVEN.findall((ROOT / ".env.example").read_text())}

    assert given == asked


def test_the_example_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's values are settings as they stand, those that are commented out as well."""
    for name, value in GIVEN.findall((ROOT / ".env.example").read_text()):
        if name not in PUBLISHED:
            monkeypatch.setenv(name, value.strip("'"))
    monkeypatch.setenv("CHAT_DATABASE_URL", "postgresql://h/d")
    settings = Settings()

    assert settings.provider == "local"
    assert "gpt-4o-mini" in settings.openai_models
    assert settings.compatible_up_to is None


GRACE = int(COMPOSE["services"]["backend"]["stop_grace_period"].removesuffix("s"))


def test_a_migration_has_time_to_be_rolled_back() -> None:
    """The container is stopped later than a migration under way is given up."""
    assert GRACE > 20


def test_a_stream_is_broken_off_before_the_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that takes its time does not keep the service from ending in order."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda *_, **named: given.update(named))
    monkeypatch.setenv("CHAT_DATABASE_URL", "postgresql://h/d")
    monkeypatch.setenv("CHAT_TOKEN_SECRET", "x" * 32)
    main()

    assert 0 < given["timeout_graceful_shutdown"] < GRACE


def test_the_image_is_built_from_what_is_sent() -> None:
    """What the Dockerfile copies is let through by .dockerignore, and is there."""
    copied = [word for one in stages()[0] if one.name == "COPY" for word in one.rest.split()[:-1]]

    assert {Path(name).parts[0] for name in copied} == set(let_through())
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
