"""Every command that the documents show can be given."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from tests.promises.files import ROOT, below, shown

from rung.cli.arguments import ParsedArguments, parse, sort_words
from rung.cli.commands import COMMANDS
from rung.golang_migrate.commands import COMMANDS as MIGRATE
from rung.golang_migrate.main import GLOBAL

if TYPE_CHECKING:
    from pathlib import Path

FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"""(?:\]\(|src=")(?!https?:|mailto:)([^)#"\s]*)(?:#([^)"\s]+))?""")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
LINE = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S+ )*(?P<command>rung|migrate) (?P<words>.*)")
SHELL = {"|", ">", ">>", "<", "&&", "||", ";", "&", "2>&1"}


def commands() -> list[tuple[str, str, str]]:
    """Each line of a fenced block that gives a command, with where it stands."""
    found = []
    for path in below(".", "*.md"):
        if path.name == "errors.md":  # it shows what is not understood, and is a test itself
            continue
        for block in FENCE.findall(path.read_text()):
            lines = (LINE.fullmatch(line.strip()) for line in block.splitlines())
            found += [(shown(path), one["command"], one["words"]) for one in lines if one]
    return found


def before_the_shell(text: str) -> list[str]:
    """The words up to a comment, a pipe or a redirection."""
    words = shlex.split(text, comments=True)
    end = next((at for at, word in enumerate(words) if word in SHELL), len(words))
    return words[:end]


def understood_by_migrate(text: str) -> bool:
    """Whether golang-migrate's flags and commands are all that stands in a line."""
    given = GLOBAL.parse(before_the_shell(text))
    name, *words = given.words or ("version",)
    if name != "version":
        MIGRATE[name].flags.parse(words)
    return True


def understood(text: str) -> bool:
    """Whether a line is one that the command obeys; help and version need no more."""
    words = sort_words(before_the_shell(text))
    if words.has("--help") or words.has("--version") or words.command == "help":
        return True
    return isinstance(parse(words), ParsedArguments)


@pytest.mark.parametrize(("file", "command", "words"), commands())
def test_commands_of_the_documents(file: str, command: str, words: str) -> None:
    """What a document tells to type is understood."""
    assert understood(words) if command == "rung" else understood_by_migrate(words)


def test_there_are_commands_in_the_documents() -> None:
    """The test above looks at something."""
    assert len(commands()) > 3


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    """Each command has a summary and an example that can be given."""
    assert COMMANDS[command].summary
    assert understood(COMMANDS[command].example.removeprefix("rung "))


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings get."""
    titles = HEADING.findall(FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", below(".", "*.md"), ids=shown)
def test_every_link_has_a_target(page: Path) -> None:
    """Each relative link names a file or folder of the repository, and a heading that it has."""
    targets = [
        (link, (page.parent / link).resolve() if link else page, anchor)
        for link, anchor in LINK.findall(FENCE.sub("", page.read_text()))
    ]
    broken = [
        link for link, path, _ in targets if not path.is_relative_to(ROOT) or not path.exists()
    ]
    broken += [
        f"{link}#{anchor}"
        for link, path, anchor in targets
        if anchor and path.suffix == ".md" and path.exists() and anchor not in anchors(path)
    ]

    assert broken == []
