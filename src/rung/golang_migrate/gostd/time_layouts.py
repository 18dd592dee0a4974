"""
Format times by Go's reference layouts (`time.Time.Format`). Pure.

A layout is an example: the moment 2006-01-02 15:04:05 -0700 in the format wanted. Anything else in
it is literal text, without a warning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = re.compile(
    r"""
      January | Jan(?![a-z]) | Monday | Mon(?![a-z]) | MST
    | 0[1-6] | 002 | 15 | 1 | 2006 | 2
    | _2(?!006) | __2                      # before 2006 the underscore is text
    | [345] | PM | pm
    | [-Z]07(?:0000|:00:00|00|:00|)        # the offset; after Z, UTC is only Z
    | (?P<mark>[.,])(?P<digits>0+|9+)(?![0-9])
    """,
    re.VERBOSE,
)
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = 9
_ABBREVIATION = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """
    A moment to the nanosecond, in a time zone.

    Args:
        local: aware; its fraction of a second is ignored.
        nanosecond: within the second.
    """

    local: datetime
    nanosecond: int

    @classmethod
    def at(cls, nanoseconds: int, zone: tzinfo) -> Moment:
        """Return the moment this long after 1970-01-01 UTC, in a time zone."""
        seconds, nanosecond = divmod(nanoseconds, _SECOND)
        return cls((_EPOCH + timedelta(seconds=seconds)).astimezone(zone), nanosecond)

    @property
    def unix(self) -> int:
        """Return whole seconds since 1970-01-01 UTC."""
        return (self.local.replace(microsecond=0) - _EPOCH) // timedelta(seconds=1)

    @property
    def unix_nano(self) -> int:
        """Return nanoseconds since 1970-01-01 UTC."""
        return self.unix * _SECOND + self.nanosecond

    @property
    def offset(self) -> int:
        """Return the offset in seconds east of UTC."""
        return (self.local.utcoffset() or timedelta()) // timedelta(seconds=1)


def formatted(moment: Moment, layout: str) -> str:
    """Format a moment by a layout."""
    return _TOKEN.sub(lambda found: _written(moment, found), layout)


def _written(moment: Moment, token: re.Match[str]) -> str:
    if token["mark"]:
        # Truncated; nines drop trailing zeros, and a mark without digits.
        written = str(moment.nanosecond).zfill(_FRACTION)[: len(token["digits"])]
        if not token["digits"].startswith("0"):
            written = written.rstrip("0")
        return token["mark"] + written if written else ""
    if token[0][0] in "-Z":
        return _offset(moment.offset, token[0])
    if token[0] == "MST":
        return moment.local.tzname() or _offset(moment.offset, "-0700")
    return _WRITERS[token[0]](moment.local)


_WRITERS: dict[str, Callable[[datetime], str]] = {
    "January": lambda t: _MONTHS[t.month - 1],
    "Jan": lambda t: _MONTHS[t.month - 1][:_ABBREVIATION],
    "Monday": lambda t: _DAYS[t.weekday()],
    "Mon": lambda t: _DAYS[t.weekday()][:_ABBREVIATION],
    "2006": lambda t: f"{t.year:04}",
    "06": lambda t: f"{t.year % 100:02}",
    "01": lambda t: f"{t.month:02}",
    "1": lambda t: f"{t.month}",
    "02": lambda t: f"{t.day:02}",
    "_2": lambda t: f"{t.day:2}",
    "2": lambda t: f"{t.day}",
    "002": lambda t: f"{_day_of_year(t):03}",
    "__2": lambda t: f"{_day_of_year(t):3}",
    "15": lambda t: f"{t.hour:02}",
    "03": lambda t: f"{_hour(t):02}",
    "3": lambda t: f"{_hour(t)}",
    "04": lambda t: f"{t.minute:02}",
    "4": lambda t: f"{t.minute}",
    "05": lambda t: f"{t.second:02}",
    "5": lambda t: f"{t.second}",
    "PM": lambda t: "AM" if t.hour < 12 else "PM",  # noqa: PLR2004 - noon
    "pm": lambda t: "am" if t.hour < 12 else "pm",  # noqa: PLR2004 - noon
}


def _day_of_year(local: datetime) -> int:
    return local.timetuple().tm_yday


def _hour(local: datetime) -> int:
    return local.hour % 12 or 12


def _offset(seconds: int, token: str) -> str:
    if token.startswith("Z") and seconds == 0:
        return "Z"
    minutes, second = divmod(abs(seconds), 60)
    hours, minute = divmod(minutes, 60)
    colon = ":" if ":" in token else ""
    parts = (f"{hours:02}", f"{minute:02}", f"{second:02}")
    wanted = len(token.replace(":", "")[1:]) // 2
    return ("-" if seconds < 0 else "+") + colon.join(parts[:wanted])
