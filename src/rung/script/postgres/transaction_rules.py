"""
What a statement does to its transaction, and whether PostgreSQL refuses it inside one.

Only what the text shows, as PostgreSQL 15 and 18 answer in tests. A REINDEX or CLUSTER of a
partitioned table, a CALL that commits, or a DO that commits by one, is known to the server only,
and the server decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rung.script.literals import literal, tokens_of
from rung.script.model import Control, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FALSE = frozenset({"FALSE", "OFF", "0"})
_WHOLE = frozenset({"SCHEMA", "DATABASE", "SYSTEM"})
_CONCURRENTLY = "CONCURRENTLY"
_PUBLICATION_CHANGES = frozenset({"SET", "ADD", "DROP"})
_ENDS = frozenset({"COMMIT", "ROLLBACK"})
_NOISE = frozenset({"WORK", "TRANSACTION"})
_CONTROLS = {
    "COMMIT": (Control.COMMIT, Control.COMMIT_CHAIN),
    "END": (Control.COMMIT, Control.COMMIT_CHAIN),
    "ROLLBACK": (Control.ROLLBACK, Control.ROLLBACK_CHAIN),
    "ABORT": (Control.ROLLBACK, Control.ROLLBACK_CHAIN),
}
_BEFORE_STATEMENT = frozenset({";", "BEGIN", "THEN", "ELSE", "LOOP"})
_PLPGSQL = frozenset({"PLPGSQL", "'PLPGSQL'", '"PLPGSQL"'})
_MAY_REFUSE = frozenset({"CALL", "DO", "REINDEX", "CLUSTER"})


def control_of(words: tuple[str, ...]) -> Control | None:
    """
    Return what a statement does to its transaction; None where it leaves it open or closed.

    Args:
        words: the statement's leading words in upper case.
    """
    first, second = (*words, "", "")[:2]
    if first == "BEGIN" or (first, second) == ("START", "TRANSACTION"):
        return Control.BEGIN
    if (first, second) == ("PREPARE", "TRANSACTION"):
        return Control.PREPARE
    if first not in _CONTROLS:
        return None
    if second == "PREPARED":
        return Control.RESOLVE_PREPARED
    return _end_of(first, words[2:] if second in _NOISE else words[1:])


def _end_of(first: str, rest: tuple[str, ...]) -> Control | None:
    plain, chained = _CONTROLS[first]
    if first == "ROLLBACK" and rest[:1] == ("TO",):
        return None
    return chained if rest[:2] == ("AND", "CHAIN") else plain


def refusal_of(text: str, tokens: Sequence[Token], words: tuple[str, ...]) -> str:
    """
    Name a statement that PostgreSQL refuses inside a transaction block; else empty.

    Args:
        text: the script's.
        tokens: the statement's.
        words: its leading words in upper case.
    """
    first, second = (*words, "", "")[:2]
    rule = _RULES.get((first, second)) or _RULES.get((first, ""))
    if rule is None or isinstance(rule, str):
        return rule or ""
    return rule([text[start:end].upper() for _, start, end in tokens])


def has_rule(words: tuple[str, ...]) -> bool:
    """Tell whether `refusal_of` looks at the tokens of a statement that begins so."""
    first, second = (*words, "", "")[:2]
    return (first, second) in _RULES or (first, "") in _RULES


def builds_concurrently(refusal: str) -> bool:
    """Tell whether a refusal is of a CONCURRENTLY, which waits for old snapshots."""
    return refusal.endswith(_CONCURRENTLY)


def may_refuse(words: tuple[str, ...]) -> bool:
    """Tell whether it may commit inside, or be refused for a reason only the server knows."""
    return bool(words) and words[0] in _MAY_REFUSE


def _index(spelled: list[str]) -> str:
    """CREATE INDEX, CREATE UNIQUE INDEX and DROP INDEX."""
    place = spelled.index("INDEX") + 1 if "INDEX" in spelled[:3] else len(spelled)
    return " ".join(spelled[: place + 1]) if spelled[place : place + 1] == [_CONCURRENTLY] else ""


def _reindex(spelled: list[str]) -> str:
    options, rest = _leading_options(spelled[1:])
    kind = rest[0] if rest else ""
    if _CONCURRENTLY in rest[1:2] or _is_on(options, _CONCURRENTLY):
        return f"REINDEX {kind} {_CONCURRENTLY}"
    return f"REINDEX {kind}" if kind in _WHOLE else ""


def _cluster(spelled: list[str]) -> str:
    rest = _leading_options(spelled[1:])[1]
    return "CLUSTER of all tables" if rest in ([], ["VERBOSE"]) else ""


def _detach(spelled: list[str]) -> str:
    if "DETACH" in spelled and spelled[-1] == _CONCURRENTLY:
        return f"DETACH PARTITION {_CONCURRENTLY}"
    return ""


def _alter_database(spelled: list[str]) -> str:
    moves = spelled[3:5] == ["SET", "TABLESPACE"] or spelled[3:4] == ["TABLESPACE"]
    return "ALTER DATABASE SET TABLESPACE" if moves else ""


def _create_subscription(spelled: list[str]) -> str:
    options = _with_options(spelled)
    default = "TRUE" if _is_on(options, "CONNECT", "TRUE") else "FALSE"
    makes_slot = _is_on(options, "CREATE_SLOT", default)
    return "CREATE SUBSCRIPTION with a replication slot" if makes_slot else ""


def _alter_subscription(spelled: list[str]) -> str:
    action = spelled[3:5]
    if action == ["REFRESH", "PUBLICATION"]:
        return "ALTER SUBSCRIPTION REFRESH PUBLICATION"
    if action[1:] == ["PUBLICATION"] and action[0] in _PUBLICATION_CHANGES:
        refreshes = _is_on(_with_options(spelled), "REFRESH", "TRUE")
        return f"ALTER SUBSCRIPTION {action[0]} PUBLICATION with refresh" if refreshes else ""
    return ""


def _do(spelled: list[str]) -> str:
    """A block of PL/pgSQL with a COMMIT or ROLLBACK where a statement begins."""
    if "LANGUAGE" in spelled and _PLPGSQL.isdisjoint(spelled):
        return ""
    body = next((one for one in spelled if one[-1:] in {"'", "$"}), "")
    inner = literal(body, Token(TokenKind.STRING, 0, len(body))).inner
    words = [inner[start:end] for _, start, end in tokens_of(inner)]
    for before, word, behind in zip(words, words[1:], words[2:], strict=False):
        if word in _ENDS and before in _BEFORE_STATEMENT and behind in {";", "AND"}:
            return f"DO with {word}"
    return ""


def _is_on(options: dict[str, str], name: str, default: str = "FALSE") -> bool:
    return options.get(name, default) not in _FALSE


def _leading_options(spelled: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options in parentheses at the beginning, if there are, and what follows them."""
    if spelled[:1] != ["("] or ")" not in spelled:
        return {}, spelled
    closed = spelled.index(")")
    return _options(spelled[1:closed]), spelled[closed + 1 :]


def _with_options(spelled: list[str]) -> dict[str, str]:
    for place in range(len(spelled) - 1):
        if spelled[place] == "WITH" and spelled[place + 1] == "(":
            return _leading_options(spelled[place + 1 :])[0]
    return {}


def _options(spelled: list[str]) -> dict[str, str]:
    """`a, b false, c = 'off'` as a mapping; an option without a value is true, the last wins."""
    options: dict[str, str] = {}
    name = ""
    for word in (one.strip("'\"") for one in spelled):
        if word == ",":
            name = ""
        elif not name:
            name = word
            options[name] = "TRUE"
        elif word != "=":
            options[name] = word
    return options


_RULES: Final[dict[tuple[str, str], str | Callable[[list[str]], str]]] = {
    ("VACUUM", ""): "VACUUM",
    ("REINDEX", ""): _reindex,
    ("CLUSTER", ""): _cluster,
    ("CREATE", "INDEX"): _index,
    ("CREATE", "UNIQUE"): _index,
    ("DROP", "INDEX"): _index,
    ("ALTER", "TABLE"): _detach,
    ("ALTER", "DATABASE"): _alter_database,
    ("ALTER", "SUBSCRIPTION"): _alter_subscription,
    ("CREATE", "SUBSCRIPTION"): _create_subscription,
    ("DROP", "SUBSCRIPTION"): "DROP SUBSCRIPTION",
    ("CREATE", "DATABASE"): "CREATE DATABASE",
    ("DROP", "DATABASE"): "DROP DATABASE",
    ("CREATE", "TABLESPACE"): "CREATE TABLESPACE",
    ("DROP", "TABLESPACE"): "DROP TABLESPACE",
    ("ALTER", "SYSTEM"): "ALTER SYSTEM",
    ("COMMIT", "PREPARED"): "COMMIT PREPARED",
    ("ROLLBACK", "PREPARED"): "ROLLBACK PREPARED",
    ("DISCARD", "ALL"): "DISCARD ALL",
    ("DO", ""): _do,
}
