"""
Go's `flag` package: how words become options, and what is said of those that do not. Pure.

A flag is `-name` or `--name`, its value follows after `=` or, but for booleans, as the next
word. Parsing stops at the first word that is no flag. Nothing is printed here and nothing
exits: the errors carry the text that Go prints before the usage.
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
    """The words cannot be taken as flags. The text is Go's line, to be followed by the usage."""


class HelpWanted(FlagsRefused):
    """`-h` or `-help` where no such flag is declared: only the usage is to be shown."""


class Kind(Enum):
    """What a flag holds, by the word that stands for its value in a usage."""

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
        kind: what it holds.
        default: its value where it is not given.
        usage: what is told of it; a word in back quotes names its value.
    """

    name: str
    kind: Kind
    default: Value
    usage: str


def boolean(name: str, usage: str = "", *, default: bool = False) -> Flag:
    """A flag that is there or not; a value is given only after `=`."""
    return Flag(name, Kind.BOOL, default, usage)


def string(name: str, default: str = "", usage: str = "") -> Flag:
    """A flag whose value is taken as it is."""
    return Flag(name, Kind.STRING, default, usage)


def int64(name: str, default: int = 0, usage: str = "") -> Flag:
    """A flag with a number from -2^63 to 2^63-1, in any base of Go's."""
    return Flag(name, Kind.INT, default, usage)


def uint64(name: str, default: int = 0, usage: str = "") -> Flag:
    """A flag with a number from 0 to 2^64-1, in any base of Go's."""
    return Flag(name, Kind.UINT, default, usage)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The value of every declared flag, and the words after the flags."""

    values: Mapping[str, Value]
    words: tuple[str, ...]
    given: frozenset[str] = frozenset()
    """The flags that were given, whatever their value."""

    def yes(self, name: str) -> bool:
        """The value of a boolean flag."""
        value = self.values[name]
        assert isinstance(value, bool), name
        return value

    def text(self, name: str) -> str:
        """The value of a string flag."""
        value = self.values[name]
        assert isinstance(value, str), name
        return value

    def number(self, name: str) -> int:
        """The value of a number's flag."""
        value = self.values[name]
        assert isinstance(value, int), name
        return value


class FlagSet:
    """
    The flags of the whole command or of one of its commands.

    Args:
        name: stands in the default usage; may be empty.
        flags: what is declared.
    """

    def __init__(self, name: str, *flags: Flag) -> None:
        self._name = name
        self._flags = {flag.name: flag for flag in flags}

    def parse(self, words: Sequence[str]) -> Parsed:
        """
        Read flags up to the first word that is none; of a repeated flag the last counts.

        Raises:
            HelpWanted: `-h` or `-help` was given and is not declared.
            FlagsRefused: a flag is unknown, malformed, or has a value it cannot have.
        """
        values = {flag.name: flag.default for flag in self._flags.values()}
        rest, given = list(words), set()
        while rest and _is_flag(rest[0]):
            word = rest.pop(0)
            if word == "--":
                break
            name, value = self._one(word, rest)
            values[name] = value
            given.add(name)
        return Parsed(values, tuple(rest), frozenset(given))

    def _one(self, word: str, rest: list[str]) -> tuple[str, Value]:
        body = word[2:] if word.startswith("--") else word[1:]
        if body.startswith(("-", "=")):
            raise FlagsRefused(f"bad flag syntax: {redacted_word(word)}")
        name, equals, given = body.partition("=")
        flag = self._flags.get(name)
        if flag is None:
            if name in _HELP:
                raise HelpWanted
            raise FlagsRefused(f"flag provided but not defined: -{redacted_word(name)}")
        if equals:
            return name, _read(flag, given)
        if flag.kind is Kind.BOOL:
            return name, True
        if not rest:
            raise FlagsRefused(f"flag needs an argument: -{name}")
        return name, _read(flag, rest.pop(0))

    def defaults(self) -> str:
        """Every flag with its usage and default, as Go's PrintDefaults prints them."""
        return "".join(_described(flag) for _, flag in sorted(self._flags.items()))

    def usage(self) -> str:
        """Go's usage of a flag set that has no usage of its own."""
        head = f"Usage of {self._name}:\n" if self._name else "Usage:\n"
        return head + self.defaults()


_READERS: dict[Kind, Callable[[str], Value]] = {
    Kind.BOOL: truth,
    Kind.STRING: str,
    Kind.INT: lambda text: signed(text, 0),
    Kind.UINT: lambda text: unsigned(text, 0),
}


def _is_flag(word: str) -> bool:
    return word.startswith("-") and word != "-"


def _read(flag: Flag, given: str) -> Value:
    try:
        return _READERS[flag.kind](given)
    except NumberRefused as error:
        what, before = ("boolean value", "-") if flag.kind is Kind.BOOL else ("value", "flag -")
        reason = "parse error" if error.reason == SYNTAX else error.reason
        raise FlagsRefused(
            f"invalid {what} {quoted(redacted_word(given))} for {before}{flag.name}: {reason}"
        ) from None


def _described(flag: Flag) -> str:
    named, usage = _named(flag)
    head = f"  -{flag.name} {named}" if named else f"  -{flag.name}"
    # Only a boolean of one letter leaves room for its usage on the same line.
    gap = "\t" if len(head.encode(errors="surrogateescape")) <= _SHORT else "\n    \t"
    told = usage.replace("\n", "\n    \t")
    return f"{head}{gap}{told}{_default(flag)}\n"


def _named(flag: Flag) -> tuple[str, str]:
    """The word for a flag's value, and its usage without the back quotes around that word."""
    before, _, rest = flag.usage.partition("`")
    named, closing, after = rest.partition("`")
    return (named, before + named + after) if closing else (flag.kind.value, flag.usage)


def _default(flag: Flag) -> str:
    if not flag.default:
        return ""
    if flag.kind is Kind.STRING:
        return f" (default {quoted(str(flag.default))})"
    return f" (default {str(flag.default).lower()})"
