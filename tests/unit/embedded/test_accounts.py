"""Which account can be taken on, from what the kernel says of this process."""

from __future__ import annotations

import pytest

from rung.embedded.accounts import Identity, missing_capability, namespace, unmapped


def status(capabilities: int) -> str:
    return f"Name:\tpython\nCapEff:\t{capabilities:016x}\nSeccomp:\t0\n"


def test_full_root_lacks_nothing() -> None:
    """
    Root with every capability can change its account.
    """
    assert missing_capability(status(0x1FFFFFFFFFF)) == ""


@pytest.mark.parametrize(("bit", "name"), [(0, "CAP_CHOWN"), (6, "CAP_SETGID"), (7, "CAP_SETUID")])
def test_a_capability_that_was_dropped_is_named(bit: int, name: str) -> None:
    """
    Root in a container without one of the capabilities is told which.
    """
    assert f"root lacks {name} here" == missing_capability(status(0x1FFFFFFFFFF & ~(1 << bit)))


def test_a_process_without_any_capability_lacks_the_first() -> None:
    """
    A status without the line counts as having none.
    """
    assert missing_capability("Name:\tpython\n") == "root lacks CAP_CHOWN here"


@pytest.mark.parametrize(
    ("uid_map", "uid", "missing"),
    [
        ("         0          0 4294967295\n", 65534, False),
        ("         0       1000          1\n", 65534, True),
        ("0 1000 1\n1 100000 65536\n", 101, False),
        ("0 1000 1\n1 100000 100\n", 101, True),
    ],
)
def test_an_account_outside_the_map_does_not_exist(
    uid_map: str, uid: int, *, missing: bool
) -> None:
    """
    A container that maps only some ids has only those accounts.
    """
    assert missing == bool(unmapped(uid_map, uid))


def test_the_keeper_is_told_an_identity_in_its_words() -> None:
    """
    Each kind has its form on the keeper's command line.
    """
    assert Identity("self", 5, 6, "me").argument == "self"
    assert Identity("account", 101, 104, "postgres").argument == "account:101:104"


def test_a_namespace_says_why() -> None:
    """
    A namespace carries its reason, and a name that the system knows for its user.
    """
    made = namespace("because")

    assert (made.kind, made.reason) == ("namespace", "because")
    assert made.uid > 0
