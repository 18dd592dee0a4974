"""Token buckets, by a clock of their own."""

from __future__ import annotations

import pytest

from chatapp.api import limits
from chatapp.api.limits import Attempts, Buckets
from chatapp.problems import Problem


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_the_rate() -> None:
    """As many as it holds at once, then one for each time it takes to refill."""
    clock = Clock()
    buckets = Buckets(per_minute=6, burst=2, clock=clock)
    first = [buckets.take("ada") for _ in range(3)]
    clock.now += 10
    later = [buckets.take("ada") for _ in range(2)]

    assert first == [0, 0, 10]
    assert later == [0, 10]


def test_each_key_has_its_own() -> None:
    """What one has used is nobody else's loss."""
    buckets = Buckets(per_minute=6, burst=1, clock=Clock())

    assert [buckets.take(key) for key in ("ada", "bob", "ada")] == [0, 0, 10]


def test_an_empty_bucket_does_not_get_emptier() -> None:
    """A rejected request does not delay the next one."""
    clock = Clock()
    buckets = Buckets(per_minute=6, burst=1, clock=clock)
    taken = [buckets.take("ada") for _ in range(5)]
    clock.now += 10

    assert (taken[1:], buckets.take("ada")) == ([10] * 4, 0)


def test_full_buckets_are_forgotten() -> None:
    """Keys that were not seen for a while take no memory."""
    clock = Clock()
    buckets = Buckets(per_minute=60, burst=1, clock=clock)
    for number in range(limits._MOST_BUCKETS):
        buckets.take(str(number))
    clock.now += 60
    buckets.take("one more")

    assert len(buckets._buckets) == 1


def test_a_flood_of_keys_takes_no_more_memory() -> None:
    """Where every bucket is in use and there are too many, the fullest half is forgotten."""
    buckets = Buckets(per_minute=1, burst=5, clock=Clock())
    for _ in range(5):
        buckets.take("guessed at")
    for number in range(3 * limits._MOST_BUCKETS):
        buckets.take(str(number))

    assert len(buckets._buckets) <= limits._MOST_BUCKETS
    assert buckets.take("guessed at") > 0


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_networks(address: str, named: str) -> None:
    """A network is an IPv4 address, however it is written, or the /64 of an IPv6 address."""
    assert limits.network({"client": (address, 1)}) == named


def test_a_refused_attempt_costs_nothing() -> None:
    """Where the account's bucket is empty, nothing is taken from the network's."""
    networks, accounts = (Buckets(6, burst, Clock()) for burst in (3, 1))
    attempts = Attempts(networks, accounts)
    attempts.admit("here", "ada")
    for _ in range(5):
        with pytest.raises(Problem):
            attempts.admit("here", "ada")

    assert [networks.take("here") for _ in range(3)] == [0, 0, 10]


def test_known_networks_are_bounded() -> None:
    """Of very many accounts and networks, the ones of the longest ago are forgotten."""
    attempts = Attempts(Buckets(6, 1, Clock()), Buckets(6, 1, Clock()))
    for number in range(limits._MOST_KNOWN + 5):
        attempts.succeeded("here", str(number))

    assert len(attempts._known) == limits._MOST_KNOWN
