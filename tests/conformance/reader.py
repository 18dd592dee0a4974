"""Reads the hand-written scenarios: TOML files, whose form README.md describes."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from tests.conformance.scenario import SCHEMES, Better, Files, Meanwhile, Scenario, Special, Step

HAND = Path(__file__).parent / "scenarios"
_Table = Mapping[str, Any]


@cache
def written_by_hand() -> tuple[Scenario, ...]:
    """
    Give all scenarios of the folder `hand`, in the order of files and lines.

    Raises:
        ValueError: a scenario is written wrongly, or two have one id.
    """
    sets = _read(HAND / "sets.toml")
    paths = sorted(path for path in HAND.glob("*.toml") if path.name != "sets.toml")
    found = tuple(
        scenario(table, sets) for path in paths for table in _read(path).get("scenario", ())
    )
    ids = [each.id for each in found]
    if twice := {each for each in ids if ids.count(each) > 1}:
        raise ValueError(f"two scenarios have one id: {sorted(twice)}")
    return found


def scenario(table: _Table, sets: _Table) -> Scenario:
    """
    Make a scenario of its table.

    Args:
        table: what stands in the file.
        sets: named sets of files.

    Raises:
        ValueError: it is written wrongly.
    """
    known = {"id", "tells", "schemes", "set", "files", "start", "sql", "query", "step"}
    _refuse_unknown(table, known)
    query = table.get("query", "")
    base: _Table = sets[table["set"]] if "set" in table else {}
    return Scenario(
        id=table["id"],
        tells=table["tells"],
        schemes=tuple(table.get("schemes", SCHEMES)),
        files=_files({**base, **table.get("files", {})}),
        start=table.get("start", "none"),
        sql=table.get("sql", ""),
        steps=tuple(_step(each, query) for each in table["step"]),
    )


def _step(table: _Table, query: str) -> Step:
    given = dict(table)
    words = _words(given)
    better = tuple(_better(each) for each in given.pop("better", ()))
    meanwhile = given.pop("meanwhile", None)
    files, env = _files(given.pop("files", {})), tuple(given.pop("env", {}).items())
    _refuse_unknown(given, {each.name for each in fields(Step)})
    return Step(
        words=words,
        query=given.pop("query", query),
        files=files,
        env=env,
        meanwhile=Meanwhile(**meanwhile) if meanwhile else None,
        better=better,
        **given,
    )


def _words(given: dict[str, Any]) -> tuple[str, ...]:
    """Give the words: `run` is a command with folder and database before it."""
    if "words" in given:
        return tuple(shlex.split(given.pop("words")))
    return ("-path", "{dir}", "-database", "{url}", *shlex.split(given.pop("run")))


def _better(table: _Table) -> Better:
    given: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in table.items()
    }
    _refuse_unknown(given, {each.name for each in fields(Better)})
    return Better(**given)


def _files(table: _Table) -> Files:
    found = []
    for name, content in table.items():
        special = isinstance(content, Mapping)
        found.append((name, Special(**content) if special else str(content)))
    return tuple(found)


def _refuse_unknown(table: Iterable[str], known: set[str]) -> None:
    if unknown := set(table) - known:
        raise ValueError(f"unknown in a scenario: {sorted(unknown)}")


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())
