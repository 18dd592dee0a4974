"""Format a duration as Go does (`time.Duration.String`). Pure."""

from __future__ import annotations

_MICROSECOND = 1_000
_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000


def duration(nanoseconds: int) -> str:
    """
    Format a duration: `0s`, `310ns`, `26.476µs`, `2.648589ms`, `1m0.5s`, `-1h2m3s`.

    Args:
        nanoseconds: may be negative; nothing is rounded.
    """
    sign, size = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    return sign + (_short(size) if size < _SECOND else _long(size))


def _short(size: int) -> str:
    if size == 0:
        return "0s"
    if size < _MICROSECOND:
        return f"{size}ns"
    if size < _MILLISECOND:
        return f"{_decimal(size, _MICROSECOND)}\u00b5s"
    return f"{_decimal(size, _MILLISECOND)}ms"


def _long(size: int) -> str:
    minutes, rest = divmod(size, 60 * _SECOND)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, _SECOND)}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _decimal(size: int, unit: int) -> str:
    """Format a size in units, exactly, without trailing zeros."""
    whole, rest = divmod(size, unit)
    fraction = str(rest).zfill(len(str(unit)) - 1).rstrip("0")
    return f"{whole}.{fraction}" if fraction else str(whole)
