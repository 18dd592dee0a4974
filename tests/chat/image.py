"""
The image without an engine: the Dockerfile's instructions, carried out below a folder.

Each path of the image (`/build`, `/opt/chat`, `/wheels`) is one below the folder; `python` is a
clean virtual environment's. A layer is the folder once more, of links to the same files. Refuses
what the Dockerfile does not use now, so that a new instruction is noticed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "backend" / "Dockerfile"
_OURS = re.compile(r"(?<![\w./])/(?=(?:build|opt|wheels)\b)")
_KNOWN_FINAL = {"FROM", "RUN", "COPY", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """A line of the Dockerfile, its continuations joined."""

    name: str
    rest: str


def stages() -> tuple[list[Instruction], list[Instruction]]:
    """The stage that builds, and the one that is the image."""
    lines = [one for one in DOCKERFILE.read_text().splitlines() if not one.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    found = [Instruction(*line.split(maxsplit=1)) for line in text.splitlines() if line]
    _, build, image = [at for at, one in enumerate(found) if one.name in {"ARG", "FROM"}]
    return found[build:image], found[image:]


def context_files() -> list[str]:
    """Return the paths that .dockerignore sends to the engine."""
    return re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)


def send(context: Path) -> Path:
    """Make the context that an engine would be sent."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in context_files():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, context / name)
    return context


@dataclass(slots=True)
class Builder:
    """Builds below a folder, and builds again upon what is at hand."""

    folder: Path
    layer: Path | None = field(default=None, init=False)
    """Where the layers up to the first RUN are kept."""

    @property
    def base(self) -> Path:
        """The programs of the base image's Python."""
        return self.folder.with_name("base") / "bin"

    def build(self, context: Path, **environment: str) -> None:
        """Carry out every instruction; those up to the first RUN only once."""
        first, *others = self._layers()
        if self.layer is None:
            subprocess.run([sys.executable, "-m", "venv", self.base.parent], check=True)
            self._carry_out(first, context, environment)
            self.layer = self.folder.with_name("layer")
            _link(self.folder, self.layer)
        shutil.rmtree(self.folder)
        _link(self.layer, self.folder)
        for layer in others:
            self._carry_out(layer, context, environment)

    def _layers(self) -> list[list[Instruction]]:
        build, _ = stages()
        ends = [at + 1 for at, one in enumerate(build) if one.name == "RUN"]
        return [build[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def _carry_out(
        self, layer: list[Instruction], context: Path, environment: dict[str, str]
    ) -> None:
        work = self.folder / "build"
        work.mkdir(parents=True, exist_ok=True)
        for one in layer:
            if one.name == "COPY":
                self._copy(context, work, one.rest.split())
            elif one.name == "RUN":
                self._run(work, one.rest, environment)
            else:
                assert one in {layer[0], Instruction("WORKDIR", "/build")}, one

    def _copy(self, context: Path, work: Path, words: list[str]) -> None:
        *sources, target = words
        for name in sources:
            place = work / (name if target == "./" else target)
            place.parent.mkdir(parents=True, exist_ok=True)
            if (context / name).is_dir():
                shutil.copytree(context / name, place, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy(context / name, place)

    def _run(self, work: Path, command: str, environment: dict[str, str]) -> None:
        kept = {k: v for k, v in os.environ.items() if k.startswith("PIP_")}
        home = {"HOME": str(self.folder), "PATH": f"{self.base}:{os.defpath}"}
        ran = subprocess.run(
            ["/bin/sh", "-c", self.placed(command)],
            check=False,
            cwd=work,
            capture_output=True,
            text=True,
            env=kept | home | environment,
        )
        if ran.returncode:
            raise BuildFailed(ran.stdout + ran.stderr)

    def placed(self, text: str) -> str:
        """A text with the image's paths as they are here."""
        return _OURS.sub(f"{self.folder}/", text)

    # --- the image -----------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """What the image sets, and nothing of this machine's."""
        [env] = [one.rest for one in self._final() if one.name == "ENV"]
        given = dict(word.split("=", 1) for word in self.placed(env).split())
        return given | {"PATH": given["PATH"].replace("$PATH", os.defpath)}

    def command(self) -> list[str]:
        """What a container runs."""
        [command] = [one.rest for one in self._final() if one.name == "CMD"]
        return self._words(command)

    def health_check(self) -> list[str]:
        """What tells whether a container is alive."""
        [check] = [one.rest for one in self._final() if one.name == "HEALTHCHECK"]
        return self._words(check[check.index("[") :])

    def _words(self, command: str) -> list[str]:
        program, *words = json.loads(command)
        return [shutil.which(program, path=self.environment()["PATH"]) or program, *words]

    def _final(self) -> list[Instruction]:
        _, final = stages()
        assert {one.name for one in final} <= _KNOWN_FINAL
        return final


def _link(layer: Path, to: Path) -> None:
    """Another folder with the same files; pip replaces files, and never writes into one."""
    shutil.copytree(layer, to, symlinks=True, copy_function=os.link)


class BuildFailed(Exception):
    """A command of the Dockerfile failed; what it printed."""
