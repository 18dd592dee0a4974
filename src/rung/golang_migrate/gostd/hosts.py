"""
Parse the host of a URL: `name`, `name:port`, several of them, or an IPv6 address in brackets. Pure.

Accepts what Go's `net/url` and `net/netip` accept, and rejects the rest with their messages.
"""

from __future__ import annotations

import re
from typing import NoReturn

from rung.golang_migrate.gostd.percent_encoding import PartRefused, UrlPart, unescape

_PORT = re.compile(rb":[0-9]*\Z")
_MARK = re.compile(rb"[.:%]")
_HEX = re.compile(rb"[0-9A-Fa-f]*")
_DIGITS = re.compile(rb"[0-9]*")
_ZONE = b"%25"
_GROUPS, _GROUPS_BEFORE_V4, _HEX_DIGITS = 8, 6, 4
_FIELDS, _FIELD = 4, 255


def parse_host(host: bytes) -> bytes:
    """
    Return a host and its port, unescaped.

    Raises:
        PartRefused: it is invalid.
    """
    bracket = host.rfind(b"[")
    if bracket > 0:
        raise PartRefused("invalid IP-literal")
    if bracket == 0:
        return _parse_bracketed(host)
    if (colon := host.rfind(b":")) >= 0:
        _check_port(host[colon:])
    return unescape(host, UrlPart.HOST)


def _check_port(port: bytes) -> None:
    if port and not _PORT.match(port):
        raise PartRefused("invalid port ", port, " after host")


def _parse_bracketed(host: bytes) -> bytes:
    closing = host.rfind(b"]")
    if closing < 0:
        raise PartRefused("missing ']' in host")
    port = host[closing + 1 :]
    _check_port(port)
    name, percent, zone = host[1:closing].partition(_ZONE)
    address = unescape(name, UrlPart.HOST) + unescape(percent + zone, UrlPart.ZONE)
    _check_address(address)
    return b"[" + address + b"]" + port


def _check_address(address: bytes) -> None:
    """Reject what is not an IPv6 address; an IPv4 address must not be in brackets."""
    mark = _MARK.search(address)
    if mark is None:
        _refuse(address, "unable to parse IP")
    if mark[0] == b"%":
        _refuse(address, "missing IPv6 address")
    if mark[0] == b":":
        _check_v6(address)
        return
    _check_v4(address, address)
    raise PartRefused("invalid IP-literal")


def _refuse(address: bytes, reason: str, at: bytes = b"") -> NoReturn:
    position: tuple[str | bytes, ...] = (" (at ", at, ")") if at else ()
    raise PartRefused("invalid host: ParseAddr(", address, f"): {reason}", *position)


def _check_v6(address: bytes) -> None:
    rest, percent, zone = address.partition(b"%")
    if percent and not zone:
        _refuse(address, "zone must be a non-empty string")
    gap, groups = rest.startswith(b"::"), 0
    if gap:
        rest = rest[2:]
    while groups < _GROUPS and (rest or not gap):
        after = _after_group(address, rest)
        if after.startswith(b"."):
            _check_v4_at_the_end(address, rest, groups, gap=gap)
            rest, groups = b"", groups + 2
            break
        groups += 1
        rest, gap = _after_separator(address, after, gap=gap)
        if not after:
            break
    _check_length(address, rest, groups, gap=gap)


def _after_group(address: bytes, rest: bytes) -> bytes:
    """Return the text after a group of hexadecimal digits."""
    match = _HEX.match(rest)
    digits = match[0] if match else b""
    if len(digits) > _HEX_DIGITS:
        _refuse(address, "each group must have 4 or less digits", rest)
    if not digits:
        _refuse(address, "each colon-separated field must have at least one digit", rest)
    return rest[len(digits) :]


def _after_separator(address: bytes, rest: bytes, *, gap: bool) -> tuple[bytes, bool]:
    """Return the text after `:` or `::`, and whether the address has had a `::`."""
    if not rest:
        return rest, gap
    if not rest.startswith(b":"):
        _refuse(address, "unexpected character, want colon", rest)
    if len(rest) == 1:
        _refuse(address, "colon must be followed by more characters", rest)
    if not rest.startswith(b"::"):
        return rest[1:], gap
    if gap:
        _refuse(address, "multiple :: in address", rest[1:])
    return rest[2:], True


def _check_length(address: bytes, rest: bytes, groups: int, *, gap: bool) -> None:
    if rest:
        _refuse(address, "trailing garbage after address", rest)
    if groups < _GROUPS and not gap:
        _refuse(address, "address string too short")
    if groups == _GROUPS and gap:
        _refuse(address, "the :: must expand to at least one field of zeros")


def _check_v4_at_the_end(address: bytes, rest: bytes, groups: int, *, gap: bool) -> None:
    if not gap and groups != _GROUPS_BEFORE_V4:
        reason = "embedded IPv4 address must replace the final 2 fields of the address"
        _refuse(address, reason, rest)
    if groups > _GROUPS_BEFORE_V4:
        reason = "too many hex fields to fit an embedded IPv4 at the end of the address"
        _refuse(address, reason, rest)
    _check_v4(address, rest)


def _check_v4(address: bytes, text: bytes) -> None:
    position = 0
    fields = text.split(b".")
    for number, field in enumerate(fields, 1):
        _check_field(address, field, text[position:])
        position += len(field)
        last = number == len(fields)
        if not last and (not field or position == len(text) - 1):
            _refuse(address, "IPv4 field must have at least one digit", text[position:])
        if not last and number == _FIELDS:
            _refuse(address, "IPv4 address too long")
        position += 1
    if len(fields) < _FIELDS:
        _refuse(address, "IPv4 address too short")


def _check_field(address: bytes, field: bytes, text: bytes) -> None:
    match = _DIGITS.match(field)
    digits = match[0] if match else b""
    if digits.startswith(b"0") and len(digits) > 1:
        _refuse(address, "IPv4 field has octet with leading zero")
    if int(digits[:4] or b"0") > _FIELD:
        _refuse(address, "IPv4 field has value >255")
    if len(digits) < len(field):
        _refuse(address, "unexpected character", text[len(digits) :])
