"""
The rules of what is applied, late and edited, told a second time and apart from the code.

Knows files, a ledger and what the history says, as plain values. It does as it is told and
says what came of it; a refusal changes nothing. Nothing of Rung is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tests.integration.model.commands import (
    AcceptEdit,
    Command,
    Down,
    DropHistory,
    Force,
    Goal,
    Goto,
    Other,
    Remove,
    Up,
    Write,
)
from tests.integration.model.golang import moves
from tests.integration.model.texts import Pair, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

Applied = dict[int, Pair | None]
"""The applied versions with the texts that are held of them; None where none are."""
Step = tuple[str, int]
"""A direction and a version."""


class Outcome(NamedTuple):
    """
    What came of a command: the steps that were done, or an error's name.

    `versions` are those that the error names; of a migration that failed, those of the run
    up to it.
    """

    error: str = ""
    versions: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()


class Refused(Exception):
    """Nothing is done."""

    def __init__(self, error: str, versions: Iterable[int] = ()) -> None:
        super().__init__(error)
        self.outcome = Outcome(error, tuple(sorted(versions)))


class LeftAlone(Exception):
    """The database is ahead, and that is accepted: there is nothing to do."""


@dataclass(slots=True)
class Model:
    """
    A folder and a database.

    `applied` is what the history says, `origin` what ran of it by a run of ours, `forced` what
    `force` alone says is applied (all below too, where nothing was recorded before), `bare` the
    version that was forced without a file, `ran` every body that ever ran, oldest first;
    `foreign` is true where the schema has tables that nobody knows of, `told` where the history
    has a row of something that succeeded.
    """

    foreign: bool = False
    files: dict[int, Pair] = field(default_factory=dict)
    ledger: int | None = None
    dirty: bool = False
    has_ledger: bool = False
    told: bool = False
    applied: Applied = field(default_factory=dict)
    origin: dict[int, Pair] = field(default_factory=dict)
    forced: set[int] = field(default_factory=set)
    bare: set[int] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)

    def obey(self, command: Command) -> Outcome:
        """Execute an action; the outcome is empty for one that is not a command of Rung."""
        try:
            return self._obey(command)
        except Refused as refusal:
            return refusal.outcome
        except LeftAlone:
            return Outcome()

    def _obey(self, command: Command) -> Outcome:
        match command:
            case Up() | Down() | Goto():
                return self._run(command)
            case Force(version, blindly):
                self._force(version, blindly=blindly)
            case AcceptEdit(version):
                self._accept(version)
            case Other():
                self._another_tool(command)
            case _:
                self._change(command)
        return Outcome()

    def _change(self, command: Write | Remove | DropHistory) -> None:
        match command:
            case Write(version, pair):
                self.files[version] = pair
            case Remove(version):
                self.files.pop(version, None)
            case DropHistory():
                self.applied, self.told = {}, False
                self._prune()

    # --- what is true --------------------------------------------------------------------

    @property
    def left_at(self) -> int | None:
        """Where the history left the ledger."""
        return max(self.applied, default=None)

    @property
    def is_stuck(self) -> bool:
        """Whether every run is refused until a version is forced."""
        return self.dirty or self.is_unexplained

    @property
    def is_unexplained(self) -> bool:
        """Whether nothing says which migrations the tables come from."""
        empty = not self.has_ledger or (self.ledger is None and not self.told)
        return self.foreign and empty

    @property
    def ran_in_order(self) -> bool:
        """Whether no version was applied after a higher one."""
        return list(self.applied) == sorted(self.applied)

    def found(self) -> Applied:
        """What is applied, given that another tool moved a ledger found elsewhere."""
        held = self._without_lone_above(self.ledger)
        if max(held, default=None) == self.ledger:
            return held
        return self._moved_to(self.ledger)

    def _is_lone(self, version: int, held: Pair | None) -> bool:
        """Whether a version has only a down, and no up of it is held."""
        now = self.files.get(version)
        return now is not None and now.up is None and (held is None or held.up is None)

    def _without_lone_above(self, version: int | None) -> Applied:
        at = -1 if version is None else version
        held = self.applied.items()
        return {v: pair for v, pair in held if v <= at or not self._is_lone(v, pair)}

    def _counted(self, applied: Applied) -> Applied:
        """What runs of ours go by: a version with only a down is never applied."""
        return {v: held for v, held in applied.items() if not self._is_lone(v, held)}

    def _moved_to(self, version: int | None) -> Applied:
        """What is applied once the ledger goes from where the history left it to a version."""
        if version is None:
            return {}
        left_at = max(self._without_lone_above(version), default=-1)
        between = {v: pair for v, pair in self.files.items() if left_at < v <= version}
        held_on = {v: held for v, held in self.applied.items() if v not in self.bare}
        kept = {v: held for v, held in held_on.items() if v <= version}
        moved: Applied = {**between, **kept}
        moved[version] = moved.get(version) or self.files.get(version)
        return moved

    def _prune(self) -> None:
        """Nothing is known any more of what is not applied."""
        self.origin = {v: pair for v, pair in self.origin.items() if v in self.applied}
        self.forced &= set(self.applied)

    def _is_empty(self, version: int, held: Pair | None) -> bool:
        """Whether another tool passed a version that had only a down."""
        lone = held is not None and held.up is None and held.down is not None
        return lone and version not in self.forced

    def _reopened(self, applied: Applied) -> set[int]:
        """What was applied without an up, and has one now."""
        return {v for v, held in applied.items() if self._is_empty(v, held)} & self._with_up

    def _newest_done(self, applied: Applied) -> int:
        return max(set(applied) - self._reopened(applied), default=-1)

    def late(self, applied: Applied) -> set[int]:
        """The files that were passed over, or have an up only now."""
        ledger = -1 if self.ledger is None else self.ledger
        passed = {v for v in self._with_up if v <= ledger and v not in applied}
        newest = self._newest_done(applied)
        return passed | {v for v in self._reopened(applied) if v < newest}

    def _again(self, applied: Applied) -> set[int]:
        """What has an up only now, and nothing newer that is applied."""
        return self._reopened(applied) - self.late(applied)

    def edited(self, applied: Applied) -> set[int]:
        """The applied versions whose up says something else now."""
        return {v for v, held in applied.items() if self._differs(v, held, "up")}

    @property
    def _with_up(self) -> set[int]:
        return {v for v, pair in self.files.items() if pair.up is not None}

    def _mended(self, applied: Applied) -> set[int]:
        """The applied versions of which the down alone says something else now."""
        return {
            version
            for version, held in applied.items()
            if self._differs(version, held, "down") and not self._differs(version, held, "up")
        }

    def is_edited(self, version: int, held: Pair | None) -> bool:
        """Whether either half says something else now."""
        return any(self._differs(version, held, half) for half in ("up", "down"))

    def _differs(self, version: int, held: Pair | None, half: str) -> bool:
        """Whether a half says something else now; one that is gone says nothing."""
        if self._is_empty(version, held):
            return False
        now = getattr(self.files.get(version), half, None)
        return held is not None and now is not None and now.differs_from(getattr(held, half))

    def states(self) -> dict[int, str]:
        """
        What `rung status` has to say of each version, where the ledger is clean.

        A state ends in a star where the down alone was edited, or a late file allows itself.
        """
        applied = self.found()
        late, edited = self.late(applied), self.edited(applied)
        newest = max(self.files, default=-1)
        told = dict.fromkeys(self.files, "pending")
        for version, held in applied.items():
            told[version] = "forced" if version in self.forced else "applied"
            if self._is_gone(version, held):
                told[version] = "ahead" if version > newest else "missing"
            elif version not in self._with_up:
                told[version] = "down-only"
        again = self._reopened(applied)
        told |= dict.fromkeys(again, "pending")
        told |= dict.fromkeys(set(self.files) - self._with_up - set(applied), "down-only")
        told |= dict.fromkeys(late, "out of order") | dict.fromkeys(edited, "edited")
        noted = self._mended(applied) | {v for v in late if self._allows_itself(v)} | again
        noted |= {v for v, state in told.items() if state in {"forced", "down-only"}}
        return told | {v: f"{told[v]}*" for v in noted}

    def _is_gone(self, version: int, held: Pair | None) -> bool:
        """Whether a version has no file, or its up was held and has none any more."""
        had_up = held is not None and held.up is not None
        return version not in self.files or (had_up and version not in self._with_up)

    # --- what may run --------------------------------------------------------------------

    def _plan(self, goal: Goal, applied: Applied) -> list[Step]:
        self._check_ledger(goal, applied)
        self._check_named(goal, applied)
        match goal:
            case Up(limit, allow_out_of_order):
                late = self._allowed(allow_out_of_order, self.late(applied))
                self._check_edited(applied)
                return [*late, *self._ups(self._again(applied)), *self._pending()][:limit]
            case Down(limit):
                left = [] if limit == 0 else self._leave(applied)
                return [*left, *self._undone(applied, -1)[:limit]]
            case Goto(version, allow_out_of_order):
                return self._way_to(version, allow_out_of_order, applied)

    def _check_ledger(self, goal: Goal, applied: Applied) -> None:
        if self.dirty:
            raise Refused("DirtyLedger")
        if not self.files and not (isinstance(goal, Down) and self.ledger is None):
            raise Refused("EmptySource")
        if self.ledger is None or self.ledger in self.files:
            return
        if isinstance(goal, Up) and goal.ahead_is_ok and self.ledger > max(self.files):
            raise LeftAlone
        goes_back = isinstance(goal, Down) or (
            isinstance(goal, Goto) and goal.version < self.ledger
        )
        if not goes_back or applied[self.ledger] is None:
            raise Refused("MissingMigrationFile")

    def _check_named(self, goal: Goal, applied: Applied) -> None:
        named = [] if isinstance(goal, Down) else list(goal.allow_out_of_order)
        if isinstance(goal, Goto):
            named.append(goal.version)
        there = self._with_up | set(applied) | {self.ledger}
        unknown = [v for v in named if v not in there]
        if unknown:
            raise Refused("MissingMigrationFile")

    def _allowed(self, allow_out_of_order: Iterable[int], late: set[int]) -> list[Step]:
        """The late ones that run, all of them; anything else stops the run."""
        allowed = {v for v in late if v in allow_out_of_order or self._allows_itself(v)}
        if late - allowed:
            raise Refused("OutOfOrderMigrations", late - allowed)
        return [("up", version) for version in sorted(late)]

    def _allows_itself(self, version: int) -> bool:
        up = self.files[version].up
        return up is not None and up.allows_late

    def _check_edited(self, applied: Applied) -> None:
        edited = self.edited(applied)
        if edited:
            raise Refused("EditedMigrations", edited)

    def _ups(self, versions: Iterable[int]) -> list[Step]:
        return [("up", version) for version in sorted(versions)]

    def _pending(self) -> list[Step]:
        ledger = -1 if self.ledger is None else self.ledger
        return self._ups(version for version in self._with_up if version > ledger)

    def _undone(self, applied: Iterable[int], down_to: int) -> list[Step]:
        return [("down", v) for v in sorted(applied, reverse=True) if v > down_to]

    def _leave(self, applied: Applied) -> list[Step]:
        """The step from a version with only a down, where the ledger was left."""
        if self.ledger is None or self.ledger in applied:
            return []
        now = self.files.get(self.ledger)
        return [("down", self.ledger)] if now is not None and now.up is None else []

    def _way_to(
        self, version: int, allow_out_of_order: Iterable[int], applied: Applied
    ) -> list[Step]:
        late = self._allowed(allow_out_of_order, {v for v in self.late(applied) if v <= version})
        if self.ledger is not None and version < self.ledger:
            return [*late, *self._leave(applied), *self._undone(applied, version)]
        self._check_edited(applied)
        ahead = [*self._ups(self._again(applied)), *self._pending()]
        return [*late, *(step for step in ahead if step[1] <= version)]

    # --- what is done --------------------------------------------------------------------

    def _run(self, goal: Goal) -> Outcome:
        applied = self.found()
        steps = self._plan(goal, self._counted(applied))
        self._check_steps(steps, applied)
        moved = max(self._without_lone_above(self.ledger), default=None) != self.ledger
        if steps or moved:
            self.told = self.told or moved or bool(self._mended(applied))
            self.applied = (applied if moved else self.applied) | {
                v: self._taken(v, applied) for v in self._mended(applied)
            }
            self.has_ledger = True
            self._prune()
        return self._walk(steps)

    def _check_steps(self, steps: list[Step], applied: Applied) -> None:
        if steps and self.is_unexplained:
            raise Refused("UnversionedDatabase")
        for direction, version in steps:
            if direction == "down" and version not in self.files and applied[version] is None:
                raise Refused("MissingMigrationFile")
        downs = [version for direction, version in steps if direction == "down"]
        problems = [found for v in downs if (found := self._problem(v, applied))]
        if problems:
            raise Refused(max(problems, key="StoredSqlUnusable".__eq__))

    def _taken(self, version: int, applied: Applied) -> Pair:
        """The texts that are held once an edit is taken over."""
        now, held = self.files[version], applied[version]
        assert held is not None
        return Pair(now.up or held.up, now.down or held.down)

    def _problem(self, version: int, applied: Applied) -> str:
        """Why a version cannot be reverted; empty where it can."""
        held = applied[version]
        if self._is_nothing(version, held) or self._down(version, held) is not None:
            return ""
        known = held is not None and held.down is not None and version not in self.origin
        unusable = version not in self.files and known
        return "StoredSqlUnusable" if unusable else "DownRefused"

    def _down(self, version: int, held: Pair | None) -> Text | None:
        """The down that belongs to what ran: the file's, or what was stored with the attempt."""
        now = self.files.get(version, Pair(None, None))
        unedited = now.up is not None and (
            held is None or held.up is None or not now.up.differs_from(held.up)
        )
        if unedited and now.down is not None:
            return now.down
        return self.origin[version].down if version in self.origin else None

    def _walk(self, steps: list[Step]) -> Outcome:
        for done, (direction, version) in enumerate(steps):
            if not self._runs(self._text(direction, version)):
                return Outcome("MigrationFailed", tuple(v for _, v in steps[: done + 1]))
            self.told = True
            if direction == "up":
                self.applied[version] = self.origin[version] = self.files[version]
                self.forced.discard(version)
                self.ledger = version if self.ledger is None else max(self.ledger, version)
            else:
                del self.applied[version]
                counted = [v for v in self._counted(self.applied) if v < version]
                self.ledger = max(counted, default=None)
            self._prune()
        return Outcome(steps=tuple(steps))

    def _text(self, direction: str, version: int) -> Text | None:
        if direction == "up":
            return self.files[version].up
        held = self.applied[version]
        return None if self._is_nothing(version, held) else self._down(version, held)

    def _is_nothing(self, version: int, held: Pair | None) -> bool:
        return self._is_empty(version, held) or self._is_lone(version, held)

    def _runs(self, text: Text | None) -> bool:
        if text is not None and not text.fails:
            self.ran.append(text.body)
        return text is None or not text.fails

    def _force(self, version: int | None, *, blindly: bool) -> None:
        if version is not None and version not in self.files and not blindly:
            raise Refused("MissingMigrationFile")
        was_held = version is not None and self.applied.get(version) is not None
        is_first = self.ledger is None and not self.applied
        self.applied = self._moved_to(version)
        self._prune()
        self.forced |= set() if was_held or version is None else {version}
        self.forced |= set(self.applied) if is_first else set()
        self.bare = {v for v in (version,) if v is not None and self.applied[v] is None}
        self.ledger, self.dirty, self.has_ledger, self.told = version, False, True, True

    def _accept(self, version: int) -> None:
        if version not in self.files:
            raise Refused("MissingMigrationFile")
        held = self.found().get(version)
        if not self.is_edited(version, held):
            raise Refused("UsageError")
        held = self.found()[version]
        self.told = True
        same_up = not self._differs(version, held, "up")
        self.applied[version] = self._taken(version, self.found())
        if version in self.origin and not same_up:
            self.origin[version] = self.files[version]
        self.bare.discard(version)

    def _another_tool(self, command: Other) -> None:
        """It makes its ledger, knows no history, and leaves it dirty where a body fails."""
        self.has_ledger = True
        for target, text in moves(command, self.files, self.ledger, dirty=self.dirty):
            self.ledger = target
            self.dirty = not self._runs(text)
            if self.dirty:
                break
