"""
Find time zones by name, as Go's `time.LoadLocation` does.

Owns the folders of the IANA database, and the messages for a name that is not in it.
"""

from __future__ import annotations

import io
import os
import struct
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

_FOLDERS = (
    "/usr/share/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/usr/lib/locale/TZ",
    "/etc/zoneinfo",
)
_SYSTEM = "/etc/localtime"


class ZoneUnknown(Exception):
    """The time zone does not exist. The text is Go's whole line, without `error: `."""


def load_location(name: str) -> tzinfo:
    """
    Return the time zone of a name.

    Args:
        name: of the IANA database; `UTC` or empty for UTC, `Local` for the machine's.

    Raises:
        ZoneUnknown: the zone does not exist, or cannot be read.
    """
    if name in {"", "UTC"}:
        return UTC
    if name == "Local":
        return _local()
    if ".." in name or name.startswith(("/", "\\")):
        raise ZoneUnknown("time: invalid location name")
    return _named(name)


def _local() -> tzinfo:
    """Return the zone of TZ if set, else the system's; UTC where neither can be read."""
    name = os.environ.get("TZ", _SYSTEM).removeprefix(":")
    try:
        if name.startswith("/"):
            return _read(name)
        return UTC if name in {"", "UTC"} else _named(name)
    except (OSError, ZoneUnknown):
        return UTC


def _named(name: str) -> tzinfo:
    reason = ""
    for folder in _FOLDERS:
        try:
            return _read(f"{folder}/{name}")
        except FileNotFoundError:
            continue
        except OSError as error:
            reason = reason or (error.strerror or str(error)).lower()
        except ZoneUnknown as error:
            reason = reason or str(error)
    return _packaged(name, reason or f"unknown time zone {name}")


def _read(path: str) -> tzinfo:
    with io.FileIO(path) as file:  # a Path would accept a trailing slash
        content = file.readall()
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo.from_file(io.BytesIO(content))
    except (ValueError, EOFError, struct.error):
        raise ZoneUnknown("malformed time zone information") from None


def _packaged(name: str, reason: str) -> tzinfo:
    """Return the zone from Python's own search, which includes the tzdata package."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ZoneUnknown(reason) from None
