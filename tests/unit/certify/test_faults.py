"""Which faults a certification makes."""

from __future__ import annotations

from collections import Counter

from rung.certify.faults import CUTS, RARE, FaultKind, Points, Run, draw, faults_for_all_cuts

UP, DOWN = Run("seven", "migrations", "up"), Run("seven", "migrations", "down")
POINTS = {UP: Points(3, 10), DOWN: Points(2, 5)}
CUT_POINTS = 2 * 3 + 10 + 2 * 2 + 5


def test_every_cut_point_comes_once() -> None:
    """Each message of each run is cut before and behind where a client sent it, once."""
    cuts = [fault for fault in draw(POINTS, 200, 1) if fault.kind.cuts]

    assert len(set(cuts)) == len(cuts) == CUT_POINTS


def test_the_rest_are_kills() -> None:
    """The total is what was asked for; what is not a cut and not rare is a kill."""
    kinds = Counter(fault.kind for fault in draw(POINTS, 200, 1))

    assert kinds[FaultKind.KILL] == 200 - CUT_POINTS - len(RARE) * 2


def test_fewer_faults_than_cut_points_are_spread() -> None:
    """A small certification has cuts from all over."""
    faults = draw(POINTS, 15, 1)
    cuts = [fault for fault in faults if fault.kind.cuts]

    assert len(faults) == 15
    assert {fault.run for fault in cuts} == {UP, DOWN}
    assert {fault.kind for fault in cuts} == set(CUTS)


def test_the_same_seed_draws_the_same() -> None:
    """What found something can be made again."""
    assert draw(POINTS, 100, 7) == draw(POINTS, 100, 7)
    assert draw(POINTS, 100, 7) != draw(POINTS, 100, 8)


def test_what_cannot_be_made_here_is_left_out() -> None:
    """Kinds without means come not at all, and the total stays."""
    kinds = Counter(fault.kind for fault in draw(POINTS, 100, 1, {FaultKind.DISK}))

    assert (kinds[FaultKind.DISK], kinds.total()) == (0, 100)


def test_a_fourth_are_kills_where_there_is_little_room() -> None:
    """Many cut points leave room for kills of the process."""
    kinds = Counter(fault.kind for fault in draw({UP: Points(300, 3000)}, 400, 1))

    assert (kinds[FaultKind.KILL], kinds.total()) == (100, 400)


def test_enough_faults_have_every_cut_point() -> None:
    """As many as are faults_for_all_cuts have each point, and one less has not."""
    most = faults_for_all_cuts(POINTS)
    cuts = [sum(fault.kind.cuts for fault in draw(POINTS, n, 1)) for n in (most - 1, most)]

    assert cuts == [CUT_POINTS - 1, CUT_POINTS]
