"""
Parse flags as Go's `flag` package does, with its messages. Pure.

A flag is `-name` or `--name`; its value follows after `=` or, except for booleans, as the next
word. Parsing stops at the first word that is not a flag. Nothing is printed here and nothing
exits: the errors have the text that Go prints before the usage.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from rung.golang_migrate.gostd.integers import SYNTAX, NumberRefused, signed, truth, unsigned
from rung.golang_migrate.gostd.quoting import quoted
from rung.redaction import redacted_word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Value = bool | int | str

_HELP = ("help", "h")
_SHORT = len("  -x")


class FlagsRefused(Exception):
    """The words are not valid flags. The text is Go's line, printed before the usage."""


class HelpWanted(FlagsRefused):
    """`-h` or `-help` where no such flag is declared: only the usage is printed."""


class FlagKind(Enum):
    """The type of a flag, by the name of its value in the usage."""

    BOOL = ""
    STRING = "string"
    INT = "int"
    UINT = "uint"


@dataclass(frozen=True, slots=True)
class Flag:
    """
    One declared flag.

    Args:
        name: without dashes.
        kind: its type.
        default: its value where it is absent.
        usage: its description; a word in back quotes names its value.
    """

    name: str
    kind: FlagKind
    default: Value
    usage: str


def boolean(name: str, usage: str = "", *, default: bool = False) -> Flag:
    """Declare a boolean flag; a value follows only after `=`."""
    return Flag(name, FlagKind.BOOL, default, usage)


def string(name: str, default: str = "", usage: str = "") -> Flag:
    """Declare a flag with a text."""
    return Flag(name, FlagKind.STRING, default, usage)


def int64(name: str, default: int = 0, usage: str = "") -> Flag:
    """Declare a flag with a number from -2^63 to 2^63-1, in any base of Go's."""
    return Flag(name, FlagKind.INT, default, usage)


def uint64(name: str, default: int = 0, usage: str = "") -> Flag:
    """Declare a flag with a number from 0 to 2^64-1, in any base of Go's."""
    return Flag(name, FlagKind.UINT, default, usage)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The value of every declared flag, and the words after the flags."""

    values: Mapping[str, Value]
    words: tuple[str, ...]
    present: frozenset[str] = frozenset()
    """The names of the flags that were present."""

    def yes(self, name: str) -> bool:
        """Return the value of a boolean flag."""
        value = self.values[name]
        assert isinstance(value, bool), name
        return value

    def text(self, name: str) -> str:
        """Return the value of a string flag."""
        value = self.values[name]
        assert isinstance(value, str), name
        return value

    def number(self, name: str) -> int:
        """Return the value of a number's flag."""
        value = self.values[name]
        assert isinstance(value, int), name
        return value


class FlagSet:
    """
    The flags of the whole command or of one of its commands.

    Args:
        name: for the default usage; may be empty.
        flags: the declared flags.
    """

    def __init__(self, name: str, *flags: Flag) -> None:
        self._name = name
        self._flags = {flag.name: flag for flag in flags}

    def parse(self, words: Sequence[str]) -> Parsed:
        """
        Parse flags up to the first word that is not a flag; the last of a repeated flag counts.

        Raises:
            HelpWanted: `-h` or `-help` is present and not declared.
            FlagsRefused: a flag is unrecognized, malformed, or has an invalid value.
        """
        values = {flag.name: flag.default for flag in self._flags.values()}
        rest, present = list(words), set()
        while rest and rest[0].startswith("-") and rest[0] != "-":
            word = rest.pop(0)
            if word == "--":
                break
            name, value = self._parse_one(word, rest)
            values[name] = value
            present.add(name)
        return Parsed(values, tuple(rest), frozenset(present))

    def _parse_one(self, word: str, rest: list[str]) -> tuple[str, Value]:
        body = word[2:] if word.startswith("--") else word[1:]
        if body.startswith(("-", "=")):
            raise FlagsRefused(f"bad flag syntax: {redacted_word(word)}")
        name, equals, text = body.partition("=")
        flag = self._flags.get(name)
        if flag is None:
            if name in _HELP:
                raise HelpWanted
            raise FlagsRefused(f"flag provided but not defined: -{redacted_word(name)}")
        if equals:
            return name, _read(flag, text)
        if flag.kind is FlagKind.BOOL:
            return name, True
        if not rest:
            raise FlagsRefused(f"flag needs an argument: -{name}")
        return name, _read(flag, rest.pop(0))

    def defaults(self) -> str:
        """Return every flag with its usage and default, as Go's PrintDefaults prints them."""
        return "".join(_describe(flag) for _, flag in sorted(self._flags.items()))

    def usage(self) -> str:
        """Return Go's default usage of a flag set."""
        head = f"Usage of {self._name}:\n" if self._name else "Usage:\n"
        return head + self.defaults()


_READERS: dict[FlagKind, Callable[[str], Value]] = {
    FlagKind.BOOL: truth,
    FlagKind.STRING: str,
    FlagKind.INT: lambda text: signed(text, 0),
    FlagKind.UINT: lambda text: unsigned(text, 0),
}


def _read(flag: Flag, text: str) -> Value:
    try:
        return _READERS[flag.kind](text)
    except NumberRefused as error:
        what, before = ("boolean value", "-") if flag.kind is FlagKind.BOOL else ("value", "flag -")
        reason = "parse error" if error.reason == SYNTAX else error.reason
        raise FlagsRefused(
            f"invalid {what} {quoted(redacted_word(text))} for {before}{flag.name}: {reason}"
        ) from None


def _describe(flag: Flag) -> str:
    value_name, usage = _value_name(flag)
    head = f"  -{flag.name} {value_name}" if value_name else f"  -{flag.name}"
    # Only a boolean of one letter has its usage on the same line.
    gap = "\t" if len(head.encode(errors="surrogateescape")) <= _SHORT else "\n    \t"
    usage = usage.replace("\n", "\n    \t")
    return f"{head}{gap}{usage}{_default(flag)}\n"


def _value_name(flag: Flag) -> tuple[str, str]:
    """Return the name of a flag's value, and the usage without its back quotes."""
    before, _, rest = flag.usage.partition("`")
    named, closing, after = rest.partition("`")
    return (named, before + named + after) if closing else (flag.kind.value, flag.usage)


def _default(flag: Flag) -> str:
    if not flag.default:
        return ""
    if flag.kind is FlagKind.STRING:
        return f" (default {quoted(str(flag.default))})"
    return f" (default {str(flag.default).lower()})"
