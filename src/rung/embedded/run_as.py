"""
Choose the account that runs the server. PostgreSQL does not run as root.

The order: the current user, unless it is root; else the account `postgres` or `nobody`; else, if
neither can be used or can reach the files, a user namespace, in which the server's files still
belong to root. No permission is changed for it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from rung.embedded.directories import UserIds

CANDIDATES = ("postgres", "nobody")
_NEEDED_CAPABILITIES = {"CAP_CHOWN": 0, "CAP_SETGID": 6, "CAP_SETUID": 7}


@dataclass(frozen=True, slots=True)
class Identity:
    """
    The account that the server runs as.

    Attributes:
        kind: `self`, `account` or `namespace`: an argument of `supervisor.change_account`.
        uid: the server's user id; inside the namespace for that kind.
        gid: the server's group id; inside the namespace for that kind.
        name: the account's name, for messages.
        reason: why no preferred kind could be used; empty for the preferred kind.
    """

    kind: str
    uid: int
    gid: int
    name: str
    reason: str = ""

    @property
    def reader(self) -> UserIds:
        """Return the ids with which the kernel checks access to files."""
        if self.kind == "account":
            return UserIds(self.uid, self.gid)
        return UserIds(os.geteuid(), os.getegid())

    @property
    def argument(self) -> str:
        """Return the identity for the supervisor's command line."""
        return "self" if self.kind == "self" else f"{self.kind}:{self.uid}:{self.gid}"


def choose() -> Identity:
    """Choose the account for a server with new files."""
    if os.geteuid() != 0:
        return _current_user()
    if problem := _why_fixed_account():
        return namespace(problem)
    account = _candidate_account()
    return account or namespace(f"there is no account {' or '.join(CANDIDATES)}")


def owner_of(folder: Path) -> Identity:
    """Choose the account for an existing data folder, which the server must own."""
    facts = folder.stat()
    if os.geteuid() != 0 or facts.st_uid == 0:
        return _current_user() if os.geteuid() != 0 else namespace(f"{folder} belongs to root")
    return Identity("account", facts.st_uid, facts.st_gid, _name_of(facts.st_uid))


def namespace(reason: str) -> Identity:
    """Return the identity of a user namespace, with the ids of an existing account."""
    inside = _candidate_account() or _other_account()
    return Identity("namespace", inside.uid, inside.gid, inside.name, reason)


def _current_user() -> Identity:
    uid = os.geteuid()
    if name := _name_of(uid):
        return Identity("self", uid, os.getegid(), name)
    # initdb requires a name for its user; an arbitrary id in a container has none.
    return namespace(f"user {uid} has no name on this system")


def _name_of(uid: int) -> str:
    from pwd import getpwuid

    try:
        return getpwuid(uid).pw_name
    except KeyError:
        return ""


def _candidate_account() -> Identity | None:
    from pwd import getpwnam

    for name in CANDIDATES:
        try:
            found = getpwnam(name)
        except KeyError:
            continue
        return Identity("account", found.pw_uid, found.pw_gid, name)
    return None


def _other_account() -> Identity:
    from pwd import getpwall

    for found in getpwall():
        if found.pw_uid != 0:
            return Identity("account", found.pw_uid, found.pw_gid, found.pw_name)
    return Identity("account", 65534, 65534, "65534")


def _why_fixed_account() -> str:
    """Return why root cannot change to another account here; empty where it can."""
    if sys.platform != "linux":
        return ""
    account = _candidate_account()
    return missing_capability(Path("/proc/self/status").read_text()) or unmapped(
        Path("/proc/self/uid_map").read_text(), account.uid if account else 0
    )


def missing_capability(status: str) -> str:
    """
    Return a capability that changing the account needs and this process lacks.

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
    Return a reason where a user id does not exist in this user namespace; else an empty text.

    Args:
        uid_map: the text of /proc/self/uid_map, lines of first id, outer id, count.
        uid: the user id.
    """
    for line in uid_map.splitlines():
        first, _, count = (int(word) for word in line.split())
        if first <= uid < first + count:
            return ""
    return f"user id {uid} does not exist in this container"
