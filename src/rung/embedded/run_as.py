"""
Under which account the server runs. PostgreSQL refuses root, so as root it is another one.

The order: ourselves where we are not root; else the account `postgres` or `nobody`; only
where neither can be taken on or can reach what it needs, a user namespace, in which the
server's files still belong to root. No permission of anything is changed for it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from rung.embedded.directories import Reader

CANDIDATES = ("postgres", "nobody")
_NEEDED_CAPABILITIES = {"CAP_CHOWN": 0, "CAP_SETGID": 6, "CAP_SETUID": 7}


@dataclass(frozen=True, slots=True)
class Identity:
    """
    Who the server runs as.

    Attributes:
        kind: `self`, `account` or `namespace`, as `supervisor.become` knows them.
        uid: the server's user id; inside the namespace for that kind.
        gid: its group id, likewise.
        name: the account's name, for messages.
        reason: why it is not a better kind; empty where it is the best.
    """

    kind: str
    uid: int
    gid: int
    name: str
    reason: str = ""

    @property
    def reader(self) -> Reader:
        """Who opens the files as the kernel sees it."""
        if self.kind == "account":
            return Reader(self.uid, self.gid)
        return Reader(os.geteuid(), os.getegid())

    @property
    def argument(self) -> str:
        """The same for the supervisor's command line."""
        return "self" if self.kind == "self" else f"{self.kind}:{self.uid}:{self.gid}"


def choose() -> Identity:
    """Choose for a server whose files are made anew."""
    if os.geteuid() != 0:
        return _ourselves()
    if problem := _cannot_change():
        return namespace(problem)
    account = _first_account()
    return account or namespace(f"there is no account {' or '.join(CANDIDATES)}")


def owner_of(folder: Path) -> Identity:
    """Choose for a data folder that is there already: the server must own it."""
    facts = folder.stat()
    if os.geteuid() != 0 or facts.st_uid == 0:
        return _ourselves() if os.geteuid() != 0 else namespace(f"{folder} belongs to root")
    return Identity("account", facts.st_uid, facts.st_gid, _name_of(facts.st_uid))


def namespace(reason: str) -> Identity:
    """Run in a user namespace, under the numbers of an account that the system knows."""
    inside = _first_account() or _any_account()
    return Identity("namespace", inside.uid, inside.gid, inside.name, reason)


def _ourselves() -> Identity:
    uid = os.geteuid()
    if name := _name_of(uid):
        return Identity("self", uid, os.getegid(), name)
    # initdb insists on a name for its user, which a container's made-up number has not.
    return namespace(f"user {uid} has no name on this system")


def _name_of(uid: int) -> str:
    from pwd import getpwuid

    try:
        return getpwuid(uid).pw_name
    except KeyError:
        return ""


def _first_account() -> Identity | None:
    from pwd import getpwnam

    for name in CANDIDATES:
        try:
            found = getpwnam(name)
        except KeyError:
            continue
        return Identity("account", found.pw_uid, found.pw_gid, name)
    return None


def _any_account() -> Identity:
    from pwd import getpwall

    for found in getpwall():
        if found.pw_uid != 0:
            return Identity("account", found.pw_uid, found.pw_gid, found.pw_name)
    return Identity("account", 65534, 65534, "65534")


def _cannot_change() -> str:
    """Say why root here cannot take on another account; empty where it can."""
    if sys.platform != "linux":
        return ""
    account = _first_account()
    return missing_capability(Path("/proc/self/status").read_text()) or unmapped(
        Path("/proc/self/uid_map").read_text(), account.uid if account else 0
    )


def missing_capability(status: str) -> str:
    """
    Name a capability that changing the account needs and this process lacks.

    Args:
        status: the text of /proc/self/status.
    """
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    held = int(lines.get("CapEff", "0").strip(), 16)
    for name, bit in _NEEDED_CAPABILITIES.items():
        if not held >> bit & 1:
            return f"root lacks {name} here"
    return ""


def unmapped(uid_map: str, uid: int) -> str:
    """
    Say so where the user id does not exist in our user namespace.

    Args:
        uid_map: the text of /proc/self/uid_map, lines of first id, outer id, count.
        uid: the id wanted.
    """
    for line in uid_map.splitlines():
        first, _, count = (int(word) for word in line.split())
        if first <= uid < first + count:
            return ""
    return f"user id {uid} does not exist in this container"
