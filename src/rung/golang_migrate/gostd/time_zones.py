"""
Time zones by name, as Go's `time.LoadLocation` finds them.

Owns where the IANA database is looked for and what is said of a name that is not there.
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
    """There is no such time zone. The text is Go's whole line, without `error: `."""


def load_location(name: str) -> tzinfo:
    """
    The time zone of a name.

    Args:
        name: of the IANA database; `UTC` or empty for UTC, `Local` for the machine's.

    Raises:
        ZoneUnknown: there is none of this name, or it cannot be read.
    """
    if name in {"", "UTC"}:
        return UTC
    if name == "Local":
        return _local()
    if ".." in name or name.startswith(("/", "\\")):
        raise ZoneUnknown("time: invalid location name")
    return _named(name)


def _local() -> tzinfo:
    """By TZ where it is set, else the system's; UTC where there is nothing that can be read."""
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
    with io.FileIO(path) as file:  # a Path would forgive a slash at the end
        content = file.readall()
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo.from_file(io.BytesIO(content))
    except (ValueError, EOFError, struct.error):
        raise ZoneUnknown("malformed time zone information") from None


def _packaged(name: str, reason: str) -> tzinfo:
    """From Python's own search, which knows the tzdata package too."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ZoneUnknown(reason) from None
