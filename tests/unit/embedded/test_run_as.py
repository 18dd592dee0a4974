"""Which account can be taken on, from what the kernel says of this process."""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

import pytest

from rung.embedded import run_as
from rung.embedded.run_as import Identity, missing_capability, namespace, unmapped

if TYPE_CHECKING:
    from pathlib import Path


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


def test_the_supervisor_is_told_an_identity_in_its_words() -> None:
    """
    Each kind has its form on the supervisor's command line.
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


def test_who_is_not_root_runs_it_as_himself(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A user with a name runs the server under his own account.
    """
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr("os.geteuid", lambda: nobody.pw_uid)

    assert (run_as.choose().kind, run_as.choose().name) == ("self", "nobody")


def test_a_user_without_a_name_gets_one_in_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A container's made-up user id, which initdb refuses, is given a name.
    """
    monkeypatch.setattr("os.geteuid", lambda: 54321)
    made = run_as.choose()

    assert (made.kind, made.reason) == ("namespace", "user 54321 has no name on this system")


@pytest.mark.parametrize("known", [("postgres",), ()])
def test_root_without_rights_needs_a_namespace(
    monkeypatch: pytest.MonkeyPatch, known: tuple[str, ...]
) -> None:
    """
    Root that cannot change its account, or has none to change to, says so.
    """
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(run_as, "CANDIDATES", known)
    lacking = "root lacks CAP_SETUID here" if known else ""
    monkeypatch.setattr(run_as, "_why_fixed_account", lambda: lacking)
    made = run_as.choose()

    assert made.kind == "namespace"
    assert (lacking or "there is no account ") == made.reason


def test_data_are_served_by_their_owner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    For root the owner of a data folder decides the account.
    """
    monkeypatch.setattr("os.geteuid", lambda: 0)
    uid = tmp_path.stat().st_uid
    expected = ("namespace", 0) if uid == 0 else ("account", uid)
    made = run_as.owner_of(tmp_path)

    assert expected == (made.kind, made.reader.uid)
