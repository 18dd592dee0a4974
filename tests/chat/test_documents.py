"""The code in the guides fastapi.md and kubernetes.md runs, and fits the service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.chat.image import ROOT
from tests.chat.serving import speaking, until
from tests.chat.test_deployment import SETTINGS

from rung.cli.arguments import ParsedArguments, parse, sort_words
from rung.integrations.fastapi import Migrations

if TYPE_CHECKING:
    from tests.servers import Database

FASTAPI, KUBERNETES = (
    (ROOT / "docs" / "guides" / name).read_text() for name in ("fastapi.md", "kubernetes.md")
)
SNIPPETS = re.findall(r"^```python\n(.*?)^```", FASTAPI, re.DOTALL | re.MULTILINE)
RECIPES: list[Any] = [
    yaml.safe_load(text)
    for text in re.findall(r"^```yaml\n(.*?)^```", KUBERNETES, re.DOTALL | re.MULTILINE)
]
POOL = """
from contextlib import asynccontextmanager
opened = []

@asynccontextmanager
async def open_pool():
    opened.append(True)
    yield
"""
WITH_IT = "app.router.lifespan_context = lifespan\n"


@pytest.mark.parametrize("own", [False, True])
def test_the_example_serves(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    own: bool,  # noqa: FBT001 - a case
) -> None:
    """The page's application becomes ready, with a lifespan of its own as well."""
    monkeypatch.chdir(ROOT / "backend")  # where there is a folder of migrations
    monkeypatch.setenv("DATABASE_URL", database.url)
    example, lifespan, *_ = SNIPPETS
    text = example + (POOL + lifespan + WITH_IT if own else "")
    shown: dict[str, Any] = {}
    exec(text, shown)
    with speaking(shown["app"]) as client:
        until(lambda: client("GET", "/ready")["_"] == 200)
        alive = client("GET", "/health")

    assert alive == {"status": "alive", "_": 200}
    assert shown.get("opened", [True]) == [True]


def test_every_setting_of_the_page() -> None:
    """What the table of settings names is an argument."""
    table = re.findall(r"^\| `(\w+)=", FASTAPI, re.MULTILINE)
    taken = Migrations.__init__.__annotations__

    assert table
    assert not [name for name in table if name not in taken]


def containers(recipe: Any) -> list[Any]:  # noqa: ANN401 - YAML
    """The containers of a recipe, wherever it has them."""
    pod = recipe.get("spec", {}).get("template", {}).get("spec", recipe)
    return [*pod.get("containers", []), *pod.get("initContainers", [])]


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_fit(recipe: Any) -> None:  # noqa: ANN401 - YAML
    """Variables are read by somebody, commands are understood, and probes ask what is served."""
    [container] = containers(recipe)
    named = {one["name"] for one in container["env"]}
    probed = [
        container[f"{kind}Probe"] for kind in ("liveness", "readiness") if "ports" in container
    ]
    command = container.get("command", ["rung", "up"])

    assert named <= SETTINGS | {"RUNG_DATABASE"}
    assert {one["httpGet"]["path"] for one in probed} <= {"/health", "/ready"}
    assert isinstance(parse(sort_words(command[1:])), ParsedArguments)


def test_a_pod_has_time_to_roll_back() -> None:
    """Kubernetes kills later than a migration under way is given up."""
    pods = [one["spec"]["template"]["spec"] for one in RECIPES if "kind" in one]

    assert all(pod["terminationGracePeriodSeconds"] > 20 for pod in pods)
    assert len(pods) == 2
