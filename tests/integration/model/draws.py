"""What may come next, given what is there: strategies that seldom draw what means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from tests.integration.model.commands import (
    AcceptEdit,
    Command,
    Down,
    DropHistory,
    Force,
    Goto,
    Other,
    Remove,
    Up,
    Write,
)
from tests.integration.model.texts import STYLES, Pair, Text

if TYPE_CHECKING:
    from tests.integration.model.model import Model

NEWEST = 9
_LIMITS = st.sampled_from([None, None, 1, 2])


def text(version: int, half: str, letters: str = "abc") -> st.SearchStrategy[Text]:
    """One half of a version; one in fifteen fails."""
    return st.builds(
        Text,
        body=st.sampled_from([f"{version} {half} {letter}" for letter in letters]),
        style=st.sampled_from(["plain", *STYLES]),
        allows_late=st.sampled_from([False, False, False, half == "up"]),
        fails=st.sampled_from([False] * 14 + [True]),
    )


def pair(version: int) -> st.SearchStrategy[Pair]:
    """A new migration; one in eight has one half alone."""
    up, down = text(version, "up"), text(version, "down")
    both = st.builds(Pair, up, down)
    one = st.builds(Pair, up, st.none()) | st.builds(Pair, st.none(), down)
    return st.sampled_from([both] * 7 + [one]).flatmap(lambda kind: kind)


def _edit(version: int, old: Pair) -> st.SearchStrategy[Command]:
    """Another up, the same in another style or with its directive, another down, one half gone."""
    new_up, new_down = text(version, "up"), text(version, "down")
    ways = [
        new_up.map(lambda up: old._replace(up=up)),
        st.builds(Pair, new_up, new_down),
        st.builds(Pair, new_up, new_down),
        new_down.map(lambda down: old._replace(down=down)),
    ]
    if old.up is not None:
        up = old.up
        ways += [
            st.sampled_from(STYLES).map(lambda s: old._replace(up=up._replace(style=s))),
            st.just(old._replace(up=up._replace(allows_late=not up.allows_late))),
            st.just(old._replace(up=up, down=None)),
        ]
    if old.down is not None:
        ways.append(st.just(old._replace(up=None)))
    return st.sampled_from(ways).flatmap(lambda way: way).map(lambda new: Write(version, new))


def opening() -> st.SearchStrategy[list[Command]]:
    """A folder of a few versions, and the tool that ran them, if one did."""
    versions = st.lists(st.integers(1, NEWEST), min_size=1, max_size=5, unique=True)
    writes = versions.flatmap(lambda some: st.tuples(*map(_new, sorted(some))))
    first = st.sampled_from([[], [Up()], [Up()], [Up(1)], [Other("up")], [Other("up", 2)]])
    return st.builds(lambda files, run: [*files, *run], writes, first)


def _new(version: int) -> st.SearchStrategy[Command]:
    return pair(version).map(lambda new: Write(version, new))


def command(model: Model) -> st.SearchStrategy[Command]:
    """The next command."""
    applied = model.found()
    files = sorted(model.files) or [1]
    known = st.sampled_from(sorted({*files, *applied}))
    named = known if model.ledger is None else st.integers(1, NEWEST) | known | known | known
    late = _late(sorted(model.late(applied)), named)
    edited = [v for v in files if model.is_edited(v, applied.get(v))]
    kinds: list[tuple[int, st.SearchStrategy[Command]]] = [
        (9, st.builds(Up, st.sampled_from([None, None, 0, 1, 2]), late, st.booleans())),
        (10 if edited or not model.ran_in_order else 4, st.builds(Down, _LIMITS)),
        (4, st.builds(Goto, named, late)),
        (12 if model.is_stuck else 2, st.builds(Force, st.none() | named)),
        (1, st.builds(Force, named, st.just(value=True))),
        (4 if edited else 1, st.builds(AcceptEdit, st.sampled_from(edited) if edited else named)),
        (2, st.builds(Other, st.sampled_from(["up", "down"]), _LIMITS)),
        (2, st.builds(Other, st.sampled_from(["goto", "force"]), known)),
        (1, st.just(DropHistory())),
        *_folder_kinds(model, sorted(applied)),
    ]
    return st.sampled_from([kind for weight, kind in kinds for _ in range(weight)]).flatmap(
        lambda kind: kind
    )


def _folder_kinds(model: Model, applied: list[int]) -> list[tuple[int, st.SearchStrategy[Command]]]:
    """Somebody works on the files: adds low ones, edits applied ones, removes the last one."""
    new = [v for v in range(1, NEWEST + 1) if v not in model.files]
    files = sorted(model.files)
    low = [v for v in new if v < (model.ledger or 0)]
    kinds = [(5, st.sampled_from([*new, *low, *low]).flatmap(_new))] if new else []
    if files:
        here = [v for v in applied if v in files] or files
        edits = st.sampled_from([*here, here[-1], here[-1]])
        kinds.append((7, edits.flatmap(lambda v: _edit(v, model.files[v]))))
        kinds.append((1, st.builds(Remove, st.sampled_from([*files, files[-1], files[-1]]))))
    return kinds


def _late(late: list[int], named: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[int, ...]]:
    """The versions that are allowed to be late: none, those that are, some that are, any."""
    nobody: st.SearchStrategy[tuple[int, ...]] = st.just(())
    if not late:
        return st.sampled_from([nobody] * 7 + [st.tuples(named)]).flatmap(lambda way: way)
    some = st.lists(st.sampled_from(late), unique=True).map(tuple)
    return nobody | some | st.just(tuple(late))
