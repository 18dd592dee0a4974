"""
Both tools, each on its own of two databases, brought together again after each difference.

A difference of the list that leaves the databases unlike is repaired as a person would: where
golang-migrate left its ledger dirty, the version that ours is at is forced.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.conformance.backends.backend import prepare
from tests.conformance.cross import versions_of
from tests.conformance.rules import Asked, better
from tests.conformance.scenario import Better, Files, Special, Step
from tests.conformance.sequences import Add, ComeLate, Command, Event, Story, body
from tests.conformance.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.runner import Theatre
    from tests.conformance.scenario import Outcome
    from tests.conformance.tools import Tool


@dataclass(slots=True)
class Twins:
    """
    Two theatres with one folder's content in each.

    Args:
        theirs: golang-migrate's theatre and tool.
        ours: our theatre and tool.
        tell: is told what happens.
    """

    theirs: tuple[Theatre, Tool]
    ours: tuple[Theatre, Tool]
    tell: Callable[[str], None]
    _files: dict[str, str] = field(default_factory=dict)

    def live(self, story: Story) -> None:
        """Begin a story, and go through it."""
        self._files = {}
        for version, kinds in story.files.items():
            self._files |= _pair(version, *kinds)
        self.tell(f"{story.start} {self._files}")
        for opened, _ in (self.theirs, self.ours):
            opened.place.lay(self.files)
            prepare(opened.stage, (), story.start, "")
        for event in story.events:
            self._happens(event)

    @property
    def files(self) -> Files:
        """The folder as it is now."""
        return tuple(sorted(self._files.items()))

    def _happens(self, event: Event) -> None:
        match event:
            case Command():
                self._obey(event)
            case Add(up, down):
                self._add(up, down)
            case ComeLate():
                self._come_late()

    def _add(self, up: str, down: str) -> None:
        at, newest = _version(self._ledger()), versions_of(self.files)[-1]
        if at > newest:
            return
        added = _pair(newest + 1, up, down)
        self._files |= added
        self._put(tuple(added.items()))

    def _ledger(self) -> str:
        return self.theirs[0].stage.state().ledger

    def _put(self, files: Files) -> None:
        for opened, _ in (self.theirs, self.ours):
            opened.place.put(files)

    def _obey(self, told: Command) -> None:
        command = replace(told, words=tuple(map(self._version_of, told.words)))
        ledger = self._ledger()
        step = _step(command)
        outcome = self.theirs[0].do(step, self.theirs[1]).outcome
        meant = better(Asked(self.files, ledger, command.words, outcome))
        self._compare(command, step, outcome, meant)
        self._mend(meant)

    def _version_of(self, word: str) -> str:
        versions = versions_of(self.files)
        return str(versions[int(word[1:]) % len(versions)]) if word.startswith("#") else word

    def _compare(
        self, command: Command, step: Step, outcome: Outcome, meant: Better | None
    ) -> None:
        seen = self.ours[0].do(step, self.ours[1])
        self.tell(f"{command.words} {outcome.said.stderr!r} {outcome.state.ledger}, {meant}")
        self.tell(f"    ours {seen.outcome.said.stderr!r} {seen.outcome.state.ledger}")

        assert judge(outcome, seen, meant).faults == ()

    def _mend(self, meant: Better | None) -> None:
        """Bring both databases together again."""
        if meant is not None and meant.difference == "reading-writes-nothing":
            self.ours[0].stage.make_ledger(())
        if meant is not None and meant.difference == "clean-after-failure":
            version = _version(meant.ledger or "")
            self.theirs[0].do(_step(Command(("force", "--", str(version)))), self.theirs[1])

        assert self.theirs[0].stage.state() == self.ours[0].stage.state()

    def _come_late(self) -> None:
        """Let ours go up once, so that it has a history, and then a lower file come."""
        self._obey(Command(("up",)))
        at, versions = _version(self._ledger()), versions_of(self.files)
        free = [each for each in range(at) if each not in versions]
        if not free or at != versions[-1] or "t)" in self._ledger() or not self._knows():
            return
        late = f"{free[-1]}_late.up.sql"
        self._put(((late, "select 1;"),))
        step = _step(Command(("up",)))
        outcome = self.theirs[0].do(step, self.theirs[1]).outcome
        meant = Better("late-files-stop", exit=1, has=("error: ", late), state="before")
        self._compare(Command(("up",)), step, outcome, meant)
        self._put(((late, Special("gone")),))

    def _knows(self) -> bool:
        """Whether ours has a history by now: nothing is late without one."""
        self._obey(Command(("down", "1")))
        self._obey(Command(("up", "1")))
        return _version(self._ledger()) == versions_of(self.files)[-1]


def _pair(version: int, up: str, down: str) -> dict[str, str]:
    bodies = {half: body(version, half, kind) for half, kind in (("up", up), ("down", down))}
    return {f"{version}_m.{half}.sql": text for half, text in bodies.items() if text is not None}


def _step(command: Command) -> Step:
    return Step(("-path", "{dir}", "-database", "{url}", *command.words), stdin=command.stdin)


def _version(ledger: str) -> int:
    return int(ledger[1:-3]) if ledger.startswith("(") else -1
