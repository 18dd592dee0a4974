"""
backend/migrations/README.md: each of its commands, run as it stands, section by section.

A section is its own story, on a database of its own: what was before it is in the table below.
SQL blocks are written to the file that their first line names.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.chat.image import ROOT
from tests.chat.recipe_copy import Place, copy_repository, published_server
from tests.oracle import VERSION, golang_migrate, or_skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.connections.machine import Machine

PAGE = (ROOT / "backend" / "migrations" / "README.md").read_text()
PIECE = re.compile(r"^(#+) ([^\n]+)$|^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
STEP = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
LEDGER = "DROP TABLE schema_migrations, schema_migrations_history"
INSTEAD = (
    (
        "make test",
        f"{sys.executable} -m pytest -q -p no:cacheprovider tests/chat/test_migrations.py",
    ),
    ("python -m pip install ", "python -m pip install --quiet --no-deps --target installed "),
    ("go install ", "true "),
)
"""What would take long, or change more than the copy."""
NO_NETWORK = ("Failed to establish a new connection", "Failed to resolve", "No route to host")


class Block(NamedTuple):
    """A block of code."""

    kind: str
    text: str


def sections() -> dict[str, list[Block]]:
    """The blocks of each section that has some, by its heading and the one above it."""
    found: dict[str, list[Block]] = {}
    above, name = "", ""
    for depth, heading, kind, text in PIECE.findall(PAGE):
        if kind:
            found.setdefault(name, []).append(Block(kind, text))
        else:
            above = heading if depth == "##" else above
            name = heading if depth == "##" else f"{above}: {heading}"
    return found


SECTIONS = sections()


def at(version: int) -> Callable[[Place], None]:
    """Bring the database to a version."""

    def prepare(place: Place) -> None:
        code, shown = place.run(f"docker compose exec backend rung goto {version}")
        assert code == 0, shown

    return prepare


def written(place: Place) -> None:
    """Leave the database at 7, with the page's own example in the folder."""
    at(7)(place)
    write_example(place)


def applied(place: Place) -> None:
    """Apply the example."""
    written(place)
    at(8)(place)


def dirty(place: Place) -> None:
    """Leave the database as golang-migrate leaves it behind a seventh file that fails."""
    at(6)(place)
    place.psql("UPDATE schema_migrations SET version = 7, dirty = true")


def unversioned(place: Place) -> None:
    """Leave the tables of version 7, and no record."""
    at(7)(place)
    place.psql(LEDGER)


def nothing(_: Place) -> None:
    """Leave the database empty."""


def rows(place: Place) -> None:
    """Leave the tables without a record, and something in them that may be lost."""
    unversioned(place)
    place.psql("INSERT INTO users (username, email, password_hash) VALUES ('a', 'b', 'c')")


class Story(NamedTuple):
    """The state before a section, and the version of the database after it."""

    prepare: Callable[[Place], None]
    version: int | None


STORIES = {
    "How it runs": Story(nothing, 7),
    "Creating one: By hand": Story(nothing, None),
    "Creating one: By a command": Story(nothing, None),
    "Creating one: Writing it": Story(nothing, None),
    "Rebuilding and restarting": Story(written, 8),
    "Checking": Story(applied, 8),
    "Installing the command": Story(nothing, None),
    "Up, down and force by hand": Story(at(7), 7),
    "A dirty database": Story(dirty, 7),
    "A dirty database: With rung repair": Story(dirty, 7),
    "A dirty database: By hand": Story(dirty, 7),
    "Tables that already exist: Without the data": Story(rows, 7),
    "Tables that already exist: With the data": Story(unversioned, 7),
    "Good practice": Story(written, 7),
}
TOOLS: dict[str, Callable[[], Path | None]] = {
    "rung": lambda: Path(sys.executable).parent / "migrate",
    "golang-migrate": golang_migrate,
}


@pytest.fixture(scope="module")
def published() -> Iterator[Machine]:
    """Publish a server for the module's tests."""
    with published_server() as machine:
        yield machine


@pytest.fixture
def place(published: Machine) -> Iterator[Place]:
    """Give a copy of the repository with the seven migrations, and an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="rung-place-", dir="/tmp"))
    folder.chmod(0o755)
    top = copy_repository(folder / "top")
    for file in (top / "backend" / "migrations").glob("*.sql"):
        if int(file.name.partition("_")[0]) > 7:
            file.unlink()
    (folder / "bin").mkdir()
    published.ask("CREATE DATABASE chatapp")
    yield Place(top, published, folder / "bin" / "migrate")
    published.ask("DROP DATABASE chatapp WITH (FORCE)")
    shutil.rmtree(folder)


def write(place: Place, block: Block) -> None:
    """Write an SQL block to the file that its first line names."""
    first, text = block.text.split("\n", 1)
    (place.top / first.removeprefix("-- ")).write_text(text)


def write_example(place: Place) -> None:
    """Write the page's example, both halves."""
    for block in SECTIONS["Creating one: Writing it"]:
        if block.kind == "sql":
            write(place, block)


def played(place: Place, name: str) -> None:
    """Run every block of a section."""
    for block in SECTIONS[name]:
        if block.kind == "sql":
            write(place, block)
        elif block.kind == "sh":
            code, shown = place.run(instead_of(block.text))
            if any(text in shown for text in NO_NETWORK):
                pytest.skip("what pip needs is out of reach")
            assert code == 0, shown
        else:
            for command, expected in STEP.findall(block.text):
                code, shown = place.run(command, typed="")
                said, fails = plain(shown), expected.startswith("error: ")
                assert said[: 1 if fails else None] == plain(expected)
                assert code == fails


def instead_of(script: str) -> str:
    """Give what is run for lines that are not run as they stand."""
    for start, command in INSTEAD:
        script = re.sub(f"^{re.escape(start)}", command, script, flags=re.MULTILINE)
    return script


def plain(text: str) -> list[str]:
    """Lines without the space at their ends."""
    return [line.rstrip() for line in text.strip().splitlines()]


def test_every_section_has_its_story() -> None:
    """Each section with a command is in the table, and nothing else is."""
    assert list(STORIES) == list(SECTIONS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tool"),
    [
        (name, tool)
        for name, blocks in SECTIONS.items()
        for tool in TOOLS
        if tool == "rung" or any("migrate -path" in block.text for block in blocks)
    ],
)
def test_a_section(place: Place, name: str, tool: str) -> None:
    """Its commands do what it says, and leave the database at the version that they lead to."""
    place.migrate.symlink_to(or_skip(TOOLS[tool]()))
    prepare, version = STORIES[name]
    prepare(place)
    played(place, name)

    dirty = name == "A dirty database"
    assert place.ledger() == (None if version is None else (version, dirty))


@pytest.mark.slow
def test_both_ways_of_creating_make_the_same_names(place: Place) -> None:
    """`touch`, `rung create` and `migrate create` make pairs, one after another, without a gap."""
    place.migrate.symlink_to(or_skip(golang_migrate()))
    played(place, "Creating one: By hand")
    added = place.top / "backend" / "migrations"
    for file in added.glob("000008*"):
        file.unlink()
    played(place, "Creating one: By a command")
    pairs = sorted(file.name for file in added.glob("*.sql"))[14:]

    assert pairs == [
        f"{stem}.{half}.sql"
        for stem in ("000008_add_user_roles", "000009_add_analytics")
        for half in ("down", "up")
    ]


@pytest.mark.slow
def test_the_eighth_follows_a_record_by_hand(place: Place) -> None:
    """On tables of version 7 with a record that somebody inserted, 8 is applied, by both tools."""
    place.migrate.symlink_to(or_skip(golang_migrate()))
    unversioned(place)
    played(place, "Tables that already exist: With the data")
    write_example(place)
    played(place, "Rebuilding and restarting")
    by_rung = place.ledger()
    back = next(line for line in PAGE.splitlines() if line.endswith("down 1"))
    code, shown = place.run(f"{back}\n{back.removesuffix('down 1')}up")

    assert (by_rung, code, place.ledger()) == ((8, False), 0, (8, False)), shown


def test_the_version_of_golang_migrate() -> None:
    """What the page installs is what Rung is compared with."""
    assert re.findall(r"cmd/migrate@(\S+)", PAGE) == [VERSION]
